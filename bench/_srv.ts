import { RawEchoServer, poolOf } from "./raw_echo.ts";
import { patternBody, requestFrame, oneWayFrame } from "./frames.ts";
for (const [name, f] of [["echo64", requestFrame(patternBody(64), 5)], ["echo1k", requestFrame(patternBody(1024), 5)], ["oneway", oneWayFrame(patternBody(64), 5)]] as const) {
const s = new RawEchoServer(65536); const sock = { busy: false, send: (p: any) => p, close() {} }; s.attach(sock, poolOf(new Uint8Array(65536)));
const n = 60; const chunk = poolOf(new Uint8Array(f.length * n)); for (let i = 0; i < n; i++) chunk.bytes.set(f, i * f.length);
let best = 1e9; for (let r = 0; r < 8; r++) { const t = performance.now(); for (let i = 0; i < 10000; i++) s.onData(chunk.bytes, chunk.view, chunk.bytes.length); best = Math.min(best, (performance.now() - t) / 10000 / n * 1e6); }
console.log("  ", name, best.toFixed(1));
}
