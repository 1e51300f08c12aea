import { render } from "preact";
import "./styles.css";
import "./first.css";
import { App } from "./app";
import { decode } from "./decode";
import { follow, keptTheme, setTheme } from "./state";

const text = document.getElementById("jitscope-data")?.textContent ?? "";
const root = document.getElementById("app");
if (root !== null) {
  const data = decode(text);
  setTheme(keptTheme());
  follow(data);
  root.replaceChildren();
  render(<App data={data} />, root);
  // For the console, and for the tests: the report as `--format json` writes it.
  Object.assign(window, { jitscope: data });
}
