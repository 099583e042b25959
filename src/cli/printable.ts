/**
 * Text from outside, such as a file name, a prompt or a message, without what a terminal obeys: escape sequences,
 * and marks that turn text around. Each such character becomes U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** The same for text of several lines, which it keeps. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Prints lines on standard output. */
export function say(text: string): void {
  console.log(printableLines(text));
}
