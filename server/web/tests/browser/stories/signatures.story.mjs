/** Whose a plugin is: who signed it stands beside it, a stranger's is refused, and an update by another hand waits. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { BINARY } from '../harness/packages.mjs';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {string} Keys, and plugins that are signed with them. */ let folder;
/** @type {{mine:string, other:string}} Fingerprints. */ let keys;

const PLUGIN = new URL('../../../../../plugins/host/tests/', import.meta.url);
const execute = promisify(execFile);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'confab-browser-keys-'));
  keys = { mine: await keygen('mine'), other: await keygen('other') };
  await keygen('stranger');
  world = await World.begin({ CONFAB_PLUGIN_TRUSTED_KEYS: `${keys.mine},${keys.other}` });
  ada = await world.owner('ada', 'Ada Lovelace');
});
after(async () => {
  await world?.end();
  await rm(folder, { recursive: true, force: true });
});

/** `confab plugin`, with nothing of the caller's own settings. @param {string[]} asked */
async function confab(...asked) {
  const { PATH, HOME, LANG } = process.env;
  return execute(BINARY, ['--json', 'plugin', ...asked], { cwd: folder, env: { PATH, HOME, LANG } });
}

/** @param {string} name @returns {Promise<string>} the key's fingerprint */
async function keygen(name) {
  const { stdout } = await confab('keygen', join(folder, `${name}.pem`));
  return JSON.parse(stdout).key;
}

/** A version of the tests' own plugin, signed. @param {string} version @param {string} key @returns {Promise<{manifest:string, component:string, signature:string}>} paths */
async function signed(version, key) {
  const project = join(folder, `${version}-${key}`);
  await mkdir(project);
  const manifest = await readFile(new URL('hostile.toml', PLUGIN), 'utf8');
  await writeFile(join(project, 'plugin.toml'), manifest.replace(/^sha256.*\n/m, '').replace('0.1.0', version));
  await cp(new URL('hostile.wasm', PLUGIN), join(project, 'hostile.wasm'));
  await confab('sign', project, '--key', join(folder, `${key}.pem`));
  return { manifest: join(project, 'plugin.toml'), component: join(project, 'hostile.wasm'), signature: join(project, 'plugin.sig') };
}

/** Chooses its files in the dialog. @param {{manifest:string, component:string, signature:string}} files */
async function choose(files) {
  const dialog = ada.dialog('Install a plugin');
  await ada.button('Install a plugin').click();
  await ada.see(dialog);
  await dialog.getByLabel('Manifest (plugin.toml)').setInputFiles(files.manifest);
  await dialog.getByLabel('Component (.wasm)').setInputFiles(files.component);
  await dialog.getByLabel('Signature (plugin.sig), if there is one').setInputFiles(files.signature);
  await ada.button('Look at it', dialog).click();
  return dialog;
}

/** As an author's own program does, which decides nothing. @param {{manifest:string, component:string, signature:string}} files */
async function offer(files) {
  const [manifest, signature] = [await readFile(files.manifest, 'utf8'), await readFile(files.signature, 'utf8')];
  const component = (await readFile(files.component)).toString('base64');
  await ada.page.evaluate(async (given) => {
    const { request } = await /** @type {any} */ (globalThis).ours('api.js');
    const form = new FormData();
    form.append('manifest', given.manifest);
    form.append('component', new File([Uint8Array.from(atob(given.component), (byte) => byte.charCodeAt(0))], 'hostile.wasm'));
    form.append('signature', given.signature);
    await request('PUT', 'plugins/chat.confab.hostile', { form, timeoutMs: 60_000 });
  }, { manifest, signature, component });
}

test('a signed plugin shows who signed it, and a stranger signs in vain', () => world.step('signed', async () => {
  await ada.page.goto('/admin/plugins');
  let dialog = await choose(await signed('0.1.0', 'stranger'));
  await ada.see(dialog.getByText('which is no key that this server trusts'));
  await ada.closeDialog();
  dialog = await choose(await signed('0.1.0', 'mine'));
  await ada.see(dialog.getByText(`Signed by ${keys.mine}`));
  await ada.button('Install', dialog).click();
  await ada.see(ada.page.getByText('The plugin is installed.'));
  await ada.see(ada.page.locator('tr', { hasText: 'Hostile' }).getByText(`Signed by ${keys.mine}`));
  await ada.shown('plugin-signed');
}));

test('an update that another hand signed waits for an administrator', () => world.step('another hand', async () => {
  await offer(await signed('0.2.0', 'other'));
  await ada.page.reload();
  const row = ada.page.locator('tr', { hasText: 'Hostile' });
  await ada.see(row.getByText('Version 0.2.0 waits for your word'));
  await ada.see(row.getByText(`Signed by ${keys.mine}`));
  await row.getByRole('button', { name: /^Update/ }).click();
  const dialog = ada.page.getByRole('dialog');
  await ada.see(dialog.getByText('Another key signed this version than the one before'));
  await ada.see(dialog.getByText('Until you decide, 0.1.0 goes on.'));
  await ada.see(dialog.getByText(`Signed by ${keys.other}`));
  await ada.shown('plugin-another-hand');
  await ada.button('Update', dialog).click();
  await ada.see(ada.page.getByText('The update runs.'));
  await ada.see(row.getByText(`Signed by ${keys.other}`));
  await ada.see(row.getByText('0.2.0', { exact: true }));
  // By the same hand the next one goes through.
  await offer(await signed('0.3.0', 'other'));
  await ada.page.reload();
  await ada.see(row.getByText('0.3.0', { exact: true }));
}));
