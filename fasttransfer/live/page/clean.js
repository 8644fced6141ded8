// The picture alone, for programs that show a page as a source, such as OBS.

import { draw } from "../page/elements.js";
import { watch } from "./stream.js";

const canvas = document.getElementById("stylized");
const drawn = window.drawn = { number: 0 };

function connect() {
  watch({
    wish: () => "next",
    receive(header, image) {
      if (!image) return;
      draw(canvas, image);
      drawn.number = header.number;
    },
    found: () => document.body.classList.remove("lost"),
    lost() {
      document.body.classList.add("lost");
      setTimeout(connect, 1000);
    },
  });
}

connect();
