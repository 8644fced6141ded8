// Pictures from the program. One is asked for, drawn, and only then the next one asked for, so that
// nothing waits in the socket.

const SILENT = 5000; // ms without an answer, after which the program counts as gone; it sends twice a second
const ENDED = "The program behind this page has ended. The page goes on when it is started again.";
const MUTE = "The program behind this page does not answer. The page goes on when it does.";

export const address = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

// wish() says what to ask for; receive(header, pictures) draws; lost(why) and found() say how it is.
export function watch({ wish, receive, lost, found }) {
  const socket = new WebSocket(address("/frames"));
  socket.binaryType = "arraybuffer";
  let alarm, over = false;
  const end = (why) => {
    clearTimeout(alarm);
    if (over) return;
    over = true;
    socket.close();
    lost(why);
  };
  const ask = () => {
    if (over || socket.readyState !== WebSocket.OPEN) return;
    socket.send(wish());
    clearTimeout(alarm);
    alarm = setTimeout(() => end(MUTE), SILENT);
  };
  socket.onopen = () => { found(); ask(); };
  socket.onmessage = async ({ data }) => {
    clearTimeout(alarm);
    try { if (!over) await read(data, receive); } finally { ask(); }
  };
  socket.onclose = ({ reason }) => end(reason || ENDED);
}

async function read(data, receive) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const start = 4 + length, middle = start + header.stylized;
  const decode = (from, to) => from === to ? null
    : createImageBitmap(new Blob([data.slice(from, to)], { type: "image/jpeg" }));
  const pictures = await Promise.all([decode(start, middle), decode(middle, middle + header.content)]);
  try { receive(header, ...pictures); } finally { for (const each of pictures) each?.close(); }
}
