/** The address if it is one of this page; else the first page. A link must not lead elsewhere after a login. */
export function localAddress(text: string): string {
  try {
    const base = "http://localhost";
    const url = new URL(text, base);
    const local = `${url.pathname}${url.search}${url.hash}`;
    // `/.//elsewhere` becomes `//elsewhere`, which a browser reads as a host.
    return url.origin === base && text.startsWith("/") && !local.startsWith("//") ? local : "/";
  } catch {
    return "/";
  }
}
