/** One server of the real binary in a folder of its own, on a free port. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BINARY } from './packages.mjs';

/** Longer than any start on a busy machine. */
const START_MS = 60_000;

export class Server {
  /** @param {string} folder @param {Record<string,string>} settings */
  constructor(folder, settings) {
    this.folder = folder;
    this.settings = settings;
    this.listen = '127.0.0.1:0';
    this.address = '';
    this.setUpLink = '';
  }

  /** An empty folder, and everybody may make an account. @param {Record<string,string>} [settings] further environment */
  static async start(settings = {}) {
    const server = new Server(await mkdtemp(join(tmpdir(), 'confab-browser-')), settings);
    await server.run();
    return server;
  }

  /** Starts it, again if it was killed: at the same address, with the same folder. */
  async run() {
    // Nothing of the caller's own settings holds here.
    const { PATH, HOME, LANG } = process.env;
    const env = { PATH, HOME, LANG, CONFAB_DATA_DIR: join(this.folder, 'data'), CONFAB_LISTEN: this.listen, CONFAB_REGISTRATION: 'open', CONFAB_RATE_LIMITS: 'off', CONFAB_LOG: 'warn', ...this.settings };
    const child = spawn(BINARY, ['serve'], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.ended = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (bytes) => { said = (said + bytes).slice(-8_000); });
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start within ${START_MS} ms:\n${said}`)), START_MS);
      child.once('exit', (code) => { clearTimeout(timer); reject(new Error(`the server ended with ${code}:\n${said}`)); });
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.setUpLink = /^Set up: (\S+)/.exec(line)?.[1] ?? this.setUpLink;
        const [, address] = /^confab listening on (http:\S+)/.exec(line) ?? [];
        if (address) this.address = address;
        if (line.startsWith('Open: ')) { clearTimeout(timer); resolve(undefined); }
      });
    });
    this.listen = new URL(this.address).host;
    await this.ready();
  }

  /** The set-up link stands after the address, and the socket answers a moment after both. */
  async ready() {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await fetch(`${this.address}/ready`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > deadline) throw new Error('the server never became ready');
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  /** As a power cut would. */
  async kill() {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    this.child?.kill('SIGTERM');
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
