// @ts-types="./mod.d.ts"
export * from "./mod.js";
