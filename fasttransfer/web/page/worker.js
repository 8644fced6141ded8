// Runs the networks by ONNX Runtime. All styles of a shape share a graph, which gets the weights with each
// picture, so that a blend is a network, too, and costs no more than a style.

import { finish, padded, toPlanes } from "./pixels.js";
import { mixed, unpacked } from "./weights.js";

const sessions = new Map(), weights = new Map(); // by the number of a network, and by the name of a style
let ort, site, root, provider, chosen, cores;

async function start({ site: ours, root: folder, threads, provider: wanted }) {
  [site, root, cores, chosen] = [ours, folder, threads, wanted];
  for (const one of wanted ? [wanted] : [...(await hasGPU() ? ["webgpu"] : []), "wasm"]) {
    try {
      await load(one);
      const side = Math.max(32, site.networks[site.styles[0].network].smallest);
      await run({ [site.styles[0].name]: 1 }, new Float32Array(3 * side * side), side, side); // whether it runs
      return { provider, threads: provider === "wasm" ? threads : 1 };
    } catch (error) {
      if (one === (wanted ?? "wasm")) throw new Error(`the network cannot run in this browser (${error.message})`);
    }
  }
}

async function hasGPU() { // one that is no program, which would be slower than WebAssembly
  if (!navigator.gpu || !("Suspending" in WebAssembly)) return false;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}

async function load(name) {
  provider = name;
  sessions.clear();
  ort = await import(new URL(`runtime/${site.runtime[name][0]}`, root));
  ort.env.wasm.wasmPaths = new URL("runtime/", root).href;
  ort.env.wasm.numThreads = name === "wasm" ? cores : 1;
  ort.env.logLevel = "error";
}

async function bytes(path) {
  const answer = await fetch(new URL(path, root));
  if (!answer.ok) throw new Error(`${path} is not there (${answer.status})`);
  return answer.arrayBuffer();
}

function session(number) {
  if (!sessions.has(number)) {
    const made = bytes(site.networks[number].graph).then((graph) => ort.InferenceSession.create(
      new Uint8Array(graph), { executionProviders: [provider], logSeverityLevel: 3 }));
    sessions.set(number, made);
    made.catch(() => sessions.delete(number));
  }
  return sessions.get(number);
}

const styled = (name) => site.styles.find((style) => style.name === name);

function weightsOf(name) {
  if (!weights.has(name)) {
    const style = styled(name), read = bytes(style.weights).then((packed) => unpacked(packed, style.type));
    weights.set(name, read);
    read.catch(() => weights.delete(name));
  }
  return weights.get(name);
}

async function run(shares, planes, width, height) { // of styles that share shape and start
  const names = Object.keys(shares), number = styled(names[0]).network;
  const arrays = await Promise.all(names.map(weightsOf)), running = await session(number);
  const feeds = { content: new ort.Tensor("float32", planes, [1, 3, height, width]) };
  let start = 0;
  const all = mixed(arrays, Object.values(shares));
  for (const [name, shape] of site.networks[number].weights) {
    const end = start + shape.reduce((a, b) => a * b, 1);
    feeds[name] = new ort.Tensor("float32", all.subarray(start, end), shape);
    start = end;
  }
  const { stylized } = await running.run(feeds);
  return stylized.data;
}

async function network(...picture) {
  try {
    return await run(...picture);
  } catch (error) { // devices get lost, or have too little memory
    if (provider !== "webgpu" || chosen) throw error;
    await load("wasm");
    return run(...picture);
  }
}

const canMix = ([one, other]) => !other || styled(one).blends.includes(other);

async function stylized({ pixels, width, height, shares, strength, color }) {
  const photo = new Uint8ClampedArray(pixels);
  if (strength === 0) return photo;
  const smallest = Math.max(...Object.keys(shares).map((name) => site.networks[styled(name).network].smallest));
  const { planes, ...padding } = padded(toPlanes(photo), width, height, smallest);
  const groups = canMix(Object.keys(shares)) ? [[shares, 1]] : Object.entries(shares).map(([name, share]) => [{ [name]: 1 }, share]);
  const pictures = [];
  for (const [own, share] of groups) pictures.push([await network(own, planes, padding.width, padding.height), share]);
  return finish(photo, width, height, pictures, padding.width, { strength, color });
}

const work = {
  start,
  async frame(picture) {
    const image = new ImageData(await stylized(picture), picture.width, picture.height);
    return { bitmap: await createImageBitmap(image) };
  },
  async photo(picture) {
    return { pixels: (await stylized(picture)).buffer };
  },
};

let before = Promise.resolve();

onmessage = ({ data: { id, kind, ...asked } }) => {
  before = before.then(async () => {
    try {
      const answer = await work[kind](asked);
      postMessage({ id, ...answer }, Object.values(answer).filter((one) => one instanceof ArrayBuffer || one instanceof ImageBitmap));
    } catch (error) {
      postMessage({ id, error: error?.message ?? `error ${error}` }); // Emscripten throws numbers
    }
  });
};
