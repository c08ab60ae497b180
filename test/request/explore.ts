/** Plays something again and again, until every choice in it was made in every way. Says how often that was. */
export function explore(play: (choose: (ways: number) => number) => void): number {
  let path: { taken: number; ways: number }[] = []
  for (let plays = 1; ; plays++) {
    let at = 0
    play(ways => {
      path[at] ??= { taken: 0, ways }
      return path[at++]?.taken ?? 0
    })
    while (path.length > 0 && Number(path.at(-1)?.taken) + 1 === path.at(-1)?.ways) path = path.slice(0, -1)
    const last = path.at(-1)
    if (!last) return plays
    last.taken++
  }
}
