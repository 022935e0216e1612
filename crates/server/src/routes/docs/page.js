// Shows the description of the API that the server makes of its handlers. Texts of the description
// are put into the page as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// What stands between backticks in a description is code.
function prose(text) {
  const parts = (text || "").split("`");
  return element("span", {}, ...parts.map((part, place) => (place % 2 ? element("code", {}, part) : part)));
}

function nameOf(reference) {
  return reference.split("/").pop();
}

// A type as it is read: a name that leads to its schema, a list, a choice, or a plain type.
function typeOf(schema) {
  if (!schema) return element("span", {}, "anything");
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return element("a", { href: "#schema-" + name }, name);
  }
  const choice = schema.oneOf || schema.anyOf || schema.allOf;
  if (choice) {
    const joint = schema.allOf ? " and " : " or ";
    return element("span", {}, ...choice.flatMap((part, place) => (place ? [joint, typeOf(part)] : [typeOf(part)])));
  }
  const types = [].concat(schema.type || "anything");
  if (types.includes("array")) return element("span", {}, "list of ", typeOf(schema.items));
  if (types.includes("object") && schema.additionalProperties && schema.additionalProperties !== true) {
    return element("span", {}, "object of ", typeOf(schema.additionalProperties));
  }
  const format = schema.format ? ` (${schema.format})` : "";
  const values = schema.enum ? ": " + schema.enum.map((value) => JSON.stringify(value)).join(", ") : "";
  return element("span", {}, types.join(" or ") + format + values);
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("div", { class: "wide" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function fields(schema) {
  const parts = schema.allOf || [schema];
  const rows = parts.flatMap((part) => {
    if (part.$ref) return [[element("em", {}, "all of"), typeOf(part), ""]];
    const required = part.required || [];
    return Object.entries(part.properties || {}).map(([name, field]) => [
      element("code", {}, name),
      typeOf(field),
      element("span", {}, required.includes(name) ? "" : "may be left out. ", prose(field.description)),
    ]);
  });
  return rows.length ? table(["Field", "Type", "What"], rows) : element("p", {}, typeOf(schema));
}

function contents(title, content) {
  const parts = Object.entries(content || {}).map(([kind, { schema }]) => {
    const body = element("div", {}, element("p", {}, element("code", {}, kind), ": ", typeOf(schema)));
    if (schema && !schema.$ref && (schema.properties || schema.allOf)) body.append(fields(schema));
    return body;
  });
  return parts.length ? element("div", {}, element("h3", {}, title), ...parts) : null;
}

// Asks with the session of this browser. Only reading: what changes something is not tried by a click.
function trial(path, parameters) {
  const inputs = parameters.map((parameter) =>
    element("input", { name: parameter.name, required: Boolean(parameter.required), "data-in": parameter.in }));
  const output = element("pre", { hidden: true, role: "status" });
  const labels = parameters.map((parameter, place) => element("label", {}, parameter.name, inputs[place]));
  const form = element("form", {}, ...labels, element("button", {}, "Ask"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    let address = path;
    for (const input of inputs) {
      if (input.dataset.in === "path") address = address.replace(`{${input.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "") query.set(input.name, input.value);
    }
    if ([...query].length) address += "?" + query;
    output.hidden = false;
    output.textContent = "GET " + address + "\n…";
    try {
      const response = await fetch(address);
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* It is no JSON, and shown as it is. */ }
      output.textContent = `GET ${address}\n${response.status} ${response.statusText}\n\n${shown.slice(0, 200000)}`;
    } catch (error) {
      output.textContent = `GET ${address}\n${error}`;
    }
  });
  return element("div", {}, element("h3", {}, "Try it"), form, output);
}

function operation(path, method, described) {
  const parameters = described.parameters || [];
  const id = method + "-" + path;
  const summary = element("summary", {},
    element("span", { class: "method" }, method.toUpperCase()),
    element("span", { class: "path" }, path),
    element("span", { class: "what" }, prose(described.summary)));
  const details = element("details", { id }, summary);
  if (described.description) details.append(element("p", {}, prose(described.description)));
  if (parameters.length) {
    details.append(element("h3", {}, "Parameters"), table(["Name", "In", "Type", "What"], parameters.map((parameter) => [
      element("code", {}, parameter.name),
      parameter.in + (parameter.required ? ", required" : ""),
      typeOf(parameter.schema),
      prose(parameter.description),
    ])));
  }
  const body = contents("Body", described.requestBody && described.requestBody.content);
  if (body) details.append(body);
  for (const [status, response] of Object.entries(described.responses || {})) {
    const title = ["Answer " + status, response.description].filter(Boolean).join(": ");
    details.append(contents(title, response.content) || element("h3", {}, title));
  }
  if (method === "get") {
    // Built when it is first looked at: there are many of them.
    details.addEventListener("toggle", () => details.append(trial(path, parameters)), { once: true });
  }
  details.dataset.text = [method, path, described.summary, described.description, ...parameters.map((p) => p.name)]
    .join(" ").toLowerCase();
  return details;
}

function show(api) {
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").replaceChildren(prose(api.info.description));
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const group = (item[method].tags || ["other"])[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(operation(path, method, item[method]));
    }
  }
  for (const [group, operations] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    document.getElementById("groups").append(element("a", { href: "#group-" + group }, group));
    document.getElementById("operations").append(
      element("section", {}, element("h2", { id: "group-" + group }, group), ...operations));
  }
  const schemas = Object.entries((api.components && api.components.schemas) || {});
  document.getElementById("schemas-title").hidden = schemas.length === 0;
  for (const [name, schema] of schemas.sort(([a], [b]) => a.localeCompare(b))) {
    const details = element("details", { id: "schema-" + name }, element("summary", { class: "path" }, name));
    if (schema.description) details.append(element("p", {}, prose(schema.description)));
    details.append(fields(schema));
    details.dataset.text = (name + " " + (schema.description || "")).toLowerCase();
    document.getElementById("schemas").append(details);
  }
  openTarget();
}

// A link to an operation or a schema opens it.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

function find() {
  const words = document.getElementById("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const details of document.querySelectorAll("main details")) {
    details.hidden = !words.every((word) => details.dataset.text.includes(word));
  }
  for (const section of document.querySelectorAll("#operations section")) {
    section.hidden = [...section.querySelectorAll("details")].every((details) => details.hidden);
  }
}

async function start() {
  document.getElementById("find").addEventListener("input", find);
  window.addEventListener("hashchange", openTarget);
  try {
    const response = await fetch("/api/openapi.json");
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
    show(body);
  } catch (error) {
    const about = document.getElementById("about");
    about.className = "bad";
    about.textContent = `The description of the API could not be read: ${error.message}`;
  }
}

start();
