export * from "deno-std/streams/mod.js";
