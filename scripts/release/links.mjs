/* The links of a document that leaves its repository. */

const RELATIVE = /(!?)(\[(?:[^\]\\]|\\.)*\])\((?![a-z]+:|#|\/\/)([^)\s]+)\)/g

/** `markdown` with links to `url`, a repository on GitHub, at its tag `ref`, in place of those to files beside it. */
export function withAbsoluteLinks(markdown, { url, ref }) {
  return markdown.replace(RELATIVE, (_, image, text, path) => {
    return `${image}${text}(${url}/${image ? 'raw' : 'blob'}/${ref}/${path.replace(/^\.\//, '')})`
  })
}

/** The targets of the links of `markdown` that are only good beside other files. */
export function relativeLinksOf(markdown) {
  return [...markdown.matchAll(RELATIVE)].map(([, , , path]) => path)
}
