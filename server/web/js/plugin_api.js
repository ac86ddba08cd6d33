/** What the server is asked about plugins, their buttons and their whispers. */
import { request } from './api.js';

const id = encodeURIComponent;

export const plugins = {
  press: (/** @type {string} */ ownerId, /** @type {string} */ button) => request('POST', `messages/${id(ownerId)}/actions/${id(button)}`),
  whispers: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/whispers`),
  dismiss: (/** @type {string} */ whisperId) => request('DELETE', `whispers/${id(whisperId)}`),
  all: () => request('GET', 'plugins'),
  check: (/** @type {Files} */ files) => upload('plugins/check', files),
  install: (/** @type {Files} */ files, /** @type {string[]|undefined} */ grants) => upload('plugins', files, grants),
  remove: (/** @type {string} */ pluginId) => request('DELETE', `plugins/${id(pluginId)}`),
  enable: (/** @type {string} */ pluginId) => request('PUT', `plugins/${id(pluginId)}/enable`),
  disable: (/** @type {string} */ pluginId) => request('PUT', `plugins/${id(pluginId)}/disable`),
  grant: (/** @type {string} */ pluginId, /** @type {{grants:string[], accept_update?:boolean, sha256?:string}} */ body) => request('PUT', `plugins/${id(pluginId)}/grants`, { body }),
  configure: (/** @type {string} */ pluginId, /** @type {Record<string, unknown>} */ settings) => request('PUT', `plugins/${id(pluginId)}/config`, { body: { settings } }),
  logs: (/** @type {string} */ pluginId, /** @type {string|null} */ cursor) => request('GET', `plugins/${id(pluginId)}/logs`, { query: { limit: 50, cursor } }),
};

/** Whether an administrator should look at it: an update waits, or its own failures stopped it. @param {{waiting?:object, enabled:boolean, disabled_reason?:string}} plugin */
export function wantsAttention({ waiting, enabled, disabled_reason: reason = '' }) {
  return Boolean(waiting) || (!enabled && reason.startsWith('stopped by the server'));
}

/** @typedef {{manifest:File, component:File, images?:File[], signature?:File}} Files */

/** @param {string} path @param {Files} files @param {string[]} [grants] */
async function upload(path, { manifest, component, images = [], signature }, grants) {
  const form = new FormData();
  form.append('manifest', await manifest.text());
  form.append('component', component);
  for (const image of images) form.append('images', image);
  if (signature) form.append('signature', await signature.text());
  if (grants) form.append('grants', JSON.stringify(grants));
  // A component of another language takes a while to compile.
  return request('POST', path, { form, timeoutMs: 180_000 });
}
