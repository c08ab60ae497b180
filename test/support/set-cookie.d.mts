type Lines = readonly string[]

export function pairOf(line: string): [name: string, value: string]
export function attributeOf(line: string, name: string): string | true | undefined
export function isCleared(line: string): boolean
export function cookiesFrom(lines: Lines): Map<string, string>
export function keepIn(jar: Map<string, string>, lines: Lines): void
export function headerFrom(lines: Lines): string
