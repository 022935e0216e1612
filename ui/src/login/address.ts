/** The address if it is one of this page; else the first page. A link must not lead elsewhere after a login. */
export function localAddress(text: string): string {
  try {
    const base = "http://localhost";
    const url = new URL(text, base);
    return url.origin === base && text.startsWith("/") ? `${url.pathname}${url.search}${url.hash}` : "/";
  } catch {
    return "/";
  }
}
