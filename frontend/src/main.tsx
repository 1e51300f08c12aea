import "./styles.css";
import { decode } from "./decode";

const text = document.getElementById("jitscope-data")?.textContent ?? "";
console.info(decode(text).report.run.id);
