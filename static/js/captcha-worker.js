// One share of the automatic check: tries the counters first, first + step, … until the derived key starts as asked.
// A classic worker, since older phones know no module workers. Protocol: ALTCHA v2, PBKDF2.
"use strict";

const BATCH = 10;

function bytesOf(hex) {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function derive(password, parameters, salt) {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const hash = parameters.algorithm.split("/")[1];
  const work = { name: "PBKDF2", hash, salt, iterations: parameters.cost };
  return new Uint8Array(await crypto.subtle.deriveBits(work, key, parameters.keyLength * 8));
}

async function search({ parameters, first, step, last }) {
  const nonce = bytesOf(parameters.nonce);
  const salt = bytesOf(parameters.salt);
  const prefix = bytesOf(parameters.keyPrefix);
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const counterPlace = new DataView(password.buffer, nonce.length);
  let tried = 0;
  for (let counter = first; counter <= last; counter += step) {
    counterPlace.setUint32(0, counter);
    const derived = await derive(password, parameters, salt);
    if (prefix.every((byte, i) => byte === derived[i])) {
      return { kind: "found", counter, derivedKey: hexOf(derived) };
    }
    tried += 1;
    if (tried % BATCH === 0) self.postMessage({ kind: "tried", count: BATCH });
  }
  return { kind: "exhausted" };
}

// A promise that fails in a worker raises no "error" event on its owner: the failure is sent as a message.
self.onmessage = ({ data }) => {
  search(data).then(
    (answer) => self.postMessage(answer),
    () => self.postMessage({ kind: "failed" }),
  );
};
