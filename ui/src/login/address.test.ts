import { expect, it } from "vitest";
import { localAddress } from "./address";

it.each([
  ["/?period=day", "/?period=day"],
  ["/", "/"],
  ["https://evil.example/", "/"],
  ["//evil.example/", "/"],
  ["/\\evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["relative", "/"],
  ["//", "/"],
  ["/.//evil.example/x", "/"],
  ["/a/..//evil.example", "/"],
])("after a login, %s leads to %s", (text, address) => expect(localAddress(text)).toBe(address));
