import { expect, it } from "vitest";
import { partsOf } from "./traceback";

const PYTHON = `Traceback (most recent call last):
  File "/usr/lib/python3.12/concurrent/futures.py", line 10, in run
    return fn()
           ^^^^
  File "/srv/ocr/engine.py", line 213, in recognise
    raise Timeout(page)
ocr.errors.Timeout: page 7
of <b>doc</b>

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/ocr/worker.py", line 88
ValueError: no page`;

it("takes a chained traceback of Python apart", () => {
  const [first, second] = partsOf(PYTHON);
  expect(first).toEqual({
    joint: null,
    thrown: "ocr.errors.Timeout: page 7\nof <b>doc</b>",
    frames: [
      {
        file: "/usr/lib/python3.12/concurrent/futures.py",
        line: 10,
        name: "run",
        source: "return fn()",
        isLibrary: true,
      },
      {
        file: "/srv/ocr/engine.py",
        line: 213,
        name: "recognise",
        source: "raise Timeout(page)",
        isLibrary: false,
      },
    ],
  });
  expect(second?.joint).toMatch(/^During handling/);
  expect(second?.frames[0]?.name).toBe("<module>");
  expect(second?.thrown).toBe("ValueError: no page");
});

it.each([
  [
    "Error: no\n    at read (/srv/app/a.js:12:5)\n    at node:internal/main:3:1",
    [
      ["read", 12, false],
      ["<anonymous>", 3, true],
    ],
  ],
  [
    "java.lang.RuntimeException: no\n\tat com.mill.Ocr.read(Ocr.java:31)\n\tat java.lang.Thread.run(Native Method)",
    [
      ["com.mill.Ocr.read", 31, false],
      ["java.lang.Thread.run", null, true],
    ],
  ],
])("takes %j apart", (text, frames) => {
  expect(partsOf(text).flatMap((part) => part.frames.map((f) => [f.name, f.line, f.isLibrary]))).toEqual(
    frames,
  );
});

it("leaves what it does not know alone", () => {
  expect(partsOf("thread 'main' panicked at src/main.rs:1:2:\nno")).toEqual([]);
});
