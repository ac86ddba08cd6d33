/** Plugins: what is installed, what each may do, how it is set, and what it says of itself. */
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { plugins } from '../../plugin_api.js';
import { permissionSentence, reachOf, tickedAtFirst } from '../../plugin_permissions.js';
import { Confirm, Dialog } from '../dialog.js';
import { Check, Checks, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { PluginLog } from './plugin_log.js';

export function Plugins() {
  const list = useLoaded(() => plugins.all());
  const [open, setOpen] = useState(/** @type {{kind:string, plugin:any}|null} */ (null));
  const close = () => setOpen(null);
  const show = (/** @type {string} */ kind, /** @type {any} */ plugin = null) => setOpen({ kind, plugin });
  const done = async (/** @type {string} */ text) => {
    close();
    notify(text);
    await list.reload();
  };
  const switched = async (/** @type {any} */ plugin) => {
    await (plugin.enabled ? plugins.disable(plugin.id) : plugins.enable(plugin.id));
    await done(plugin.enabled ? t('the_plugin_is_switched_off') : t('the_plugin_runs'));
  };
  return html`<${SettingsPage} title=${t('plugins')} wide lead=${t('a_plugin_acts_as_a_bot')}
      actions=${html`<button type="button" class="btn primary" onClick=${() => show('install')}>${t('install_a_plugin')}</button>`}>
    ${list.value ? html`<${Table} label=${t('plugins')} columns=${columns(show, switched)} rows=${list.value.items} />` : html`<${Waiting} ...${list} />`}
    ${open?.kind === 'install' && html`<${Install} done=${done} close=${close} />`}
    ${open?.kind === 'grants' && html`<${Grants} plugin=${open.plugin} done=${done} close=${close} />`}
    ${open?.kind === 'settings' && html`<${Settings} plugin=${open.plugin} done=${done} close=${close} />`}
    ${open?.kind === 'log' && html`<${PluginLog} plugin=${open.plugin} close=${close} />`}
    ${open?.kind === 'remove' && html`<${Confirm} title=${t('remove_this_plugin')} action=${t('remove')} run=${async () => { await plugins.remove(open.plugin.id); await done(t('the_plugin_is_removed')); }} close=${close}>
      <p>${t('loses_all_that_it_kept', { name: html`<bdi>${cleanName(open.plugin.name)}</bdi>` })}</p></${Confirm}>`}
  </${SettingsPage}>`;
}

/** @param {(kind:string, plugin:any)=>void} show @param {(plugin:any)=>Promise<void>} switched */
function columns(show, switched) {
  const button = (/** @type {any} */ plugin, /** @type {string} */ kind, /** @type {string} */ label, extra = '') => html`<button type="button" class=${`btn small ${extra}`} aria-label=${`${label}: ${cleanName(plugin.name)}`} onClick=${() => show(kind, plugin)}>${label}</button>`;
  return [
    { name: t('plugin'), cell: (/** @type {any} */ plugin) => html`<b><bdi>${cleanName(plugin.name)}</bdi></b> <span class="dim">${plugin.version}</span>${plugin.is_bundled && html` <span class="pill info">${t('comes_with_confab')}</span>`}
      ${plugin.description && html`<small><bdi>${cleanName(plugin.description)}</bdi></small>`}${!plugin.is_bundled && html`<small>${signer(plugin.signature)}</small>`}` },
    { name: t('state'), cell: (/** @type {any} */ plugin) => html`${plugin.enabled ? html`<span class="pill ok">${t('runs')}</span>` : html`<span class="pill">${t('off')}</span>${plugin.disabled_reason && html`<small>${plugin.disabled_reason}</small>`}`}
      ${plugin.waiting && html`<small>${t('version_waits_for_your_word', { version: plugin.waiting.version })}</small>`}` },
    { name: t('may_do'), class: 'tnum', cell: (/** @type {any} */ plugin) => (plugin.asks.length ? html`${t('count_of_all', { count: plugin.grants.length, all: plugin.asks.length })}${reach(plugin)}` : html`<span class="dim">${t('asks_for_nothing')}</span>`) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ plugin) => html`<span class="btns">
      <${Action} class="btn small" label=${`${plugin.enabled ? t('switch_off') : t('switch_on')}: ${cleanName(plugin.name)}`} run=${() => switched(plugin)}>${plugin.enabled ? t('switch_off') : t('switch_on')}</${Action}>
      ${button(plugin, 'grants', plugin.waiting ? t('update') : t('permissions'), plugin.waiting ? 'primary' : '')}
      ${plugin.settings?.length > 0 && button(plugin, 'settings', t('settings'))}
      ${button(plugin, 'log', t('log'))}
      ${!plugin.is_bundled && button(plugin, 'remove', t('remove'), 'danger')}</span>` },
  ];
}

/** How far it reads, where that is further than the channels of its bot. @param {any} plugin */
function reach(plugin) {
  const far = reachOf(plugin);
  if (!far) return null;
  return html` <span class=${far === 'all' ? 'pill warn' : 'pill info'}>${far === 'all' ? t('reads_every_channel') : t('reads_every_public_channel')}</span>`;
}

/** Whose a plugin is. @param {{state:string, key?:string}|undefined} signature */
function signer(signature) {
  if (signature?.state === 'signed') return t('signed_by', { key: html`<code class="wrap-any">${signature.key}</code>` });
  return signature?.state === 'invalid' ? t('its_signature_is_of_something_else') : t('unsigned');
}

/** @param {any[]} asks @param {string[]} [newly] */
const optionsOf = (asks, newly = []) => asks.map(({ name, description }) => ({ value: name, label: permissionSentence({ name, description }), help: html`<code>${name}</code>${newly.includes(name) && html` <span class="pill info">${t('new_2')}</span>`}` }));

/** @param {{plugin:any, done:(text:string)=>Promise<void>, close:()=>void}} props */
function Grants({ plugin, done, close }) {
  const { waiting } = plugin;
  const newly = (waiting?.asks_newly ?? []).map((/** @type {any} */ { name }) => name);
  const submit = (/** @type {any} */ { grants }) => plugins.grant(plugin.id, { grants, accept_update: Boolean(waiting), ...(waiting ? { sha256: waiting.sha256 } : {}) });
  const { values, set, fields, busy, message, onSubmit } = useForm({ grants: [...plugin.grants, ...tickedAtFirst(newly)] }, submit, { done: () => void done(waiting ? t('the_update_runs') : t('the_permissions_are_saved')) });
  const origins = waiting?.new_origins ?? [];
  return html`<${Dialog} title=${waiting ? t('update_to', { name: cleanName(plugin.name), version: waiting.version }) : cleanName(plugin.name)} onClose=${close} class="tall"><form class="dialog-b" onSubmit=${onSubmit}>
    ${waiting && (newly.length + origins.length > 0 || !waiting.changes_signer) && html`<p class="lead">${t('this_version_asks_for_more', { version: plugin.version })}</p>`}
    ${waiting?.changes_signer && html`<p class="lead">${t('another_key_signed_it')} ${t('until_you_decide', { version: plugin.version })}</p>`}
    ${waiting && !plugin.is_bundled && html`<p class="help">${signer(waiting.signature)}</p>`}
    <${FormError} error=${message} />
    <${Checks} legend=${t('it_may')} options=${optionsOf(waiting ? waiting.asks : plugin.asks, newly)} chosen=${values.grants} error=${fields.grants} onChange=${(/** @type {string[]} */ words) => set('grants', words)} />
    ${(origins.length || plugin.origins?.length) > 0 && html`<p class="help">${t('addresses_that_it_calls')} ${[...(plugin.origins ?? []), ...origins].map((origin) => html`<code key=${origin}>${origin}</code> `)}</p>`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><${Submit} busy=${busy}>${waiting ? t('update') : t('save')}</${Submit}></div>
  </form></${Dialog}>`;
}

/** @param {{plugin:any, done:(text:string)=>Promise<void>, close:()=>void}} props */
function Settings({ plugin, done, close }) {
  const initial = Object.fromEntries(plugin.settings.map((/** @type {any} */ setting) => [setting.key, setting.type === 'toggle' ? (setting.value ?? setting.default ?? false) : String(setting.value ?? '')]));
  const submit = (/** @type {any} */ values) => plugins.configure(plugin.id, Object.fromEntries(plugin.settings.flatMap((/** @type {any} */ setting) => sent(setting, values[setting.key]))));
  const { values, set, field, busy, message, onSubmit } = useForm(initial, submit, { done: () => void done(t('the_settings_are_saved')) });
  return html`<${Dialog} title=${t('settings_of', { name: cleanName(plugin.name) })} onClose=${close} class="tall"><form class="dialog-b" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    ${plugin.settings.map((/** @type {any} */ setting) => (setting.type === 'toggle'
      ? html`<${Check} key=${setting.key} checked=${values[setting.key]} help=${html`<code>${setting.key}</code>`} onChange=${(/** @type {boolean} */ on) => set(setting.key, on)}>${setting.description || setting.key}</${Check}>`
      : html`<${Field} key=${setting.key} ...${field(setting.key, 'plugin-')} label=${setting.description || setting.key} type=${setting.type === 'secret' ? 'password' : setting.type === 'text' ? 'text' : 'number'} step=${setting.type === 'number' ? 'any' : undefined}
          required=${setting.required && !setting.is_set} autocomplete="off" placeholder=${setting.is_set ? t('set_type_to_replace_it') : setting.default === undefined ? '' : String(setting.default)} />`))}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><${Submit} busy=${busy}>${t('save')}</${Submit}></div>
  </form></${Dialog}>`;
}

/** A setting as the server takes it: an empty one goes back to its default, an untouched secret stays. @param {any} setting @param {any} value */
function sent(setting, value) {
  if (setting.type === 'toggle') return [[setting.key, value]];
  if (value === '') return setting.type === 'secret' ? [] : [[setting.key, null]];
  return [[setting.key, setting.type === 'integer' || setting.type === 'number' ? Number(value) : value]];
}

/** @param {{done:(text:string)=>Promise<void>, close:()=>void}} props */
function Install({ done, close }) {
  const [files, setFiles] = useState(/** @type {{manifest?:File, component?:File, images?:File[], signature?:File}} */ ({}));
  const [checked, setChecked] = useState(/** @type {any} */ (null));
  const [grants, setGrants] = useState(/** @type {string[]} */ ([]));
  const [error, setError] = useState('');
  const failed = (/** @type {Error} */ fault) => setError(fault.message);
  const choose = (/** @type {'manifest'|'component'|'images'|'signature'} */ which) => (/** @type {any} */ event) => {
    setFiles({ ...files, [which]: which === 'images' ? [...event.target.files] : event.target.files[0] });
    setChecked(null);
  };
  const look = async () => {
    setError('');
    if (!files.manifest || !files.component) return setError(t('choose_both_files'));
    const found = await plugins.check(/** @type {import('../../plugin_api.js').Files} */ (files));
    setGrants(tickedAtFirst(found.asks.map((/** @type {any} */ { name }) => name)));
    return setChecked(found);
  };
  const install = async () => {
    await plugins.install(/** @type {import('../../plugin_api.js').Files} */ (files), grants);
    await done(checked.is_known ? t('the_plugin_is_updated') : t('the_plugin_is_installed'));
  };
  return html`<${Dialog} title=${t('install_a_plugin')} onClose=${close} class="tall"><div class="dialog-b">
    <p class="lead">${t('a_plugin_is_a_manifest_and')}</p>
    <${FormError} error=${error} />
    <div class="field"><label for="plugin-manifest">${t('manifest_plugin_toml')}</label><input id="plugin-manifest" type="file" accept=".toml" onChange=${choose('manifest')} /></div>
    <div class="field"><label for="plugin-component">${t('component_wasm')}</label><input id="plugin-component" type="file" accept=".wasm" onChange=${choose('component')} /></div>
    <div class="field"><label for="plugin-images">${t('images_of_reactions_if_there_are_any')}</label><input id="plugin-images" type="file" accept="image/png,image/jpeg,image/gif,image/webp" multiple onChange=${choose('images')} /></div>
    <div class="field"><label for="plugin-signature">${t('signature_if_there_is_one')}</label><input id="plugin-signature" type="file" accept=".sig" onChange=${choose('signature')} /></div>
    ${checked && html`<p><b><bdi>${cleanName(checked.name)}</bdi></b> ${checked.version} <span class="dim">${checked.id}</span><br />${signer(checked.signature)}</p>
      ${checked.changes_signer && html`<p class="lead">${t('another_key_signed_it')}</p>`}
      ${checked.asks.length ? html`<${Checks} legend=${t('it_may')} options=${optionsOf(checked.asks, checked.asks_newly)} chosen=${grants} onChange=${setGrants} />` : html`<p class="help">${t('it_asks_for_nothing')}</p>`}`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button>
      ${checked ? html`<${Action} class="btn primary" run=${install} failed=${failed}>${checked.is_known ? t('update') : t('install')}</${Action}>` : html`<${Action} class="btn primary" run=${look} failed=${failed}>${t('look_at_it')}</${Action}>`}</div>
  </div></${Dialog}>`;
}
