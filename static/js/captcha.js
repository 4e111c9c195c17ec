// The automatic check of a form: a proof of work (ALTCHA v2) done in workers while the person types.
// It starts at the first focus in the form. Sent early, the form waits and leaves once; when the check cannot end,
// the form leaves with its ticket instead: nobody ever waits for a check that does not come.

const GIVE_UP_AFTER = 30_000; // ms
const MOST_WORKERS = 4;
const SAFETY_SHARE = 0.2; // a solution is made anew in the last fifth of its life, 15 s at most
const SAFETY_MOST = 15_000; // ms

async function fetchChallenge(url, signal) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store", signal });
  if (!response.ok) throw new Error(`challenge: ${response.status}`);
  const challenge = await response.json();
  // The server's clock, not the device's, says how long the challenge lives.
  const served = Date.parse(response.headers.get("Date")) || Date.now();
  const life = (challenge.parameters.expiresAt ?? Infinity) * 1000 - served;
  return { challenge, staleAt: Date.now() + life - Math.min(SAFETY_MOST, life * SAFETY_SHARE) };
}

// Promise of {counter, derivedKey}. `onTried` hears of the counters that were tried; `signal` ends the work.
function search(parameters, workerUrl, onTried, signal) {
  const step = Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1);
  const last = parameters.data?.max ?? 2 ** 32 - 1;
  const workers = [];
  let searching = step;
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    for (let first = 0; first < step; first += 1) {
      const worker = new Worker(workerUrl);
      workers.push(worker);
      worker.onerror = () => reject(new Error("worker"));
      worker.onmessage = ({ data }) => {
        if (data.kind === "tried") onTried(data.count);
        else if (data.kind === "found") resolve({ counter: data.counter, derivedKey: data.derivedKey });
        else if (data.kind === "failed") reject(new Error("worker"));
        else if ((searching -= 1) === 0) reject(new Error("no solution"));
      };
      worker.postMessage({ parameters, first, step, last });
    }
  }).finally(() => workers.forEach((worker) => worker.terminate()));
}

function base64Of(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(String.fromCharCode(...bytes));
}

class Check {
  constructor(place) {
    this.place = place;
    this.form = place.closest("form");
    this.token = place.querySelector("input[name=captcha]");
    this.bar = place.querySelector("progress");
    this.words = place.querySelector("[role=status]");
    this.reset();
    this.form.addEventListener("focusin", () => this.start());
    this.form.addEventListener("submit", (event) => this.onSubmit(event));
    // Back to a page kept in memory: its check was spent with the form that left.
    window.addEventListener("pageshow", (event) => event.persisted && this.reset());
  }

  reset() {
    this.token.value = "";
    this.working = null;
    this.waiting = false;
    this.show("idle", "");
  }

  show(state, words) {
    this.place.dataset.state = state;
    this.words.textContent = words;
  }

  get settled() {
    const { state } = this.place.dataset;
    return state === "failed" || (state === "done" && Date.now() < this.staleAt);
  }

  // Promise that never fails: afterwards the check is done, or given up aloud.
  start() {
    if (this.settled) return Promise.resolve();
    this.working ??= this.work().finally(() => (this.working = null));
    return this.working;
  }

  async work() {
    const giveUp = new AbortController();
    const clock = setTimeout(() => giveUp.abort(new Error("too long")), GIVE_UP_AFTER);
    const began = performance.now();
    this.token.value = "";
    this.bar.value = 0;
    this.show("running", this.words.dataset.running);
    try {
      if (!window.Worker || !window.crypto?.subtle) throw new Error("cannot work here");
      const { challenge, staleAt } = await fetchChallenge(this.place.dataset.captchaUrl, giveUp.signal);
      this.bar.max = challenge.parameters.data?.max ?? 1000;
      const found = await search(
        challenge.parameters,
        this.place.dataset.captchaWorker,
        (count) => (this.bar.value += count),
        giveUp.signal,
      );
      const time = Math.round(performance.now() - began);
      this.token.value = base64Of({ challenge, solution: { ...found, time } });
      this.staleAt = staleAt;
      this.bar.value = this.bar.max;
      this.show("done", this.words.dataset.done);
    } catch {
      this.show("failed", this.words.dataset.failed);
    } finally {
      clearTimeout(clock);
    }
  }

  async onSubmit(event) {
    if (this.settled) return;
    event.preventDefault();
    if (this.waiting) return;
    this.waiting = true;
    const { submitter } = event;
    submitter?.setAttribute("aria-busy", "true");
    await this.start();
    this.waiting = false;
    // However short its life, a check just made is sent: asking again could go on for ever.
    if (this.place.dataset.state === "done") this.staleAt = Infinity;
    this.form.requestSubmit(submitter);
  }
}

for (const place of document.querySelectorAll("[data-captcha-url]")) {
  if (place.querySelector("input[name=captcha]")) new Check(place);
}
