// A traceback taken apart, so that the frames of the application stand out from those of its libraries.

export interface Frame {
  readonly file: string;
  readonly line: number | null;
  readonly name: string;
  /** The line of the program, where the traceback has it. */
  readonly source: string | null;
  /** Whether it is of a library, and not of the application itself. */
  readonly isLibrary: boolean;
}

/** What was thrown, with where; of those that led to each other one after the other. */
export interface Part {
  /** Why it follows the one before, as the traceback says it. */
  readonly joint: string | null;
  readonly frames: readonly Frame[];
  /** What was thrown, in the words of the traceback. */
  readonly thrown: string;
}

const PYTHON = /^\s*File "(.+?)", line (\d+)(?:, in (.+))?$/;
const JAVASCRIPT =
  /^\s*at (?:(.+?) \()?((?:file:\/\/|node:|\/|[A-Za-z]:\\|https?:|webpack).*?):(\d+)(?::\d+)?\)?$/;
const JAVA = /^\s*at ([\w.$<>/]+)\(([\w.$ -]+?)(?::(\d+))?\)$/;
const LIBRARY =
  /site-packages|dist-packages|node_modules|^node:|\/lib\/python3|<frozen|^java\.|^javax\.|^jdk\.|^sun\./;
const JOINT =
  /^(?:During handling of the above exception|The above exception was the direct cause|Caused by: )/;

/** The parts of a traceback; none when it is of no form that is known, and has to be shown as it is. */
export function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let joint: string | null = null;
  let frames: Frame[] = [];
  let thrown: string[] = [];
  const end = () => {
    if (frames.length > 0) parts.push({ joint, frames, thrown: thrown.join("\n").trim() });
    [joint, frames, thrown] = [null, [], []];
  };
  for (const line of text.split("\n")) {
    const frame = frameOf(line);
    if (JOINT.test(line)) {
      end();
      if (line.startsWith("Caused by: ")) thrown.push(line.slice("Caused by: ".length));
      joint = line.startsWith("Caused by: ") ? "Caused by" : line.trim();
    } else if (frame) frames.push(frame);
    else if (/^\s+\S/.test(line) && frames.length > 0) addSource(frames, line);
    else if (line.trim() !== "" && !/^Traceback /.test(line)) thrown.push(line);
  }
  end();
  return parts;
}

function frameOf(line: string): Frame | null {
  const python = PYTHON.exec(line);
  if (python) return made(python[1], python[2], python[3] ?? "<module>", python[1]);
  const script = JAVASCRIPT.exec(line);
  if (script) return made(script[2], script[3], script[1] ?? "<anonymous>", script[2]);
  const java = JAVA.exec(line);
  return java ? made(java[2], java[3], java[1] ?? "", java[1]) : null;
}

function made(file = "", line: string | undefined, name: string, origin = ""): Frame {
  return {
    file,
    line: line === undefined ? null : Number(line),
    name,
    source: null,
    isLibrary: LIBRARY.test(origin),
  };
}

/** A line below a frame is its source; one of marks alone points into it, and says nothing by itself. */
function addSource(frames: Frame[], line: string): void {
  const last = frames.at(-1);
  if (!last || last.source !== null || /^[\s^~]+$/.test(line)) return;
  frames[frames.length - 1] = { ...last, source: line.trim() };
}
