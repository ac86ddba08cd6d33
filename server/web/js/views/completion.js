/** What the composer offers while one types "/" or "@". */
import { cleanName } from '../format.js';
import { commands, me, members } from '../store.js';
import { personName } from '../workspace.js';
import { Avatar } from './avatar.js';
import { html } from './html.js';

const MAX_OPTIONS = 8;

/**
 * @typedef {{insert:string, command?:any, user?:any}} Option
 * @typedef {{caption:string, from:number, to:number, typed:string, options:Option[], index:number}} CompletionState
 *   from and to: the part of the text that a choice replaces
 */

/**
 * @param {string} text @param {number} caret @param {string} channelId @param {boolean} inThread commands run in channels only
 * @returns {CompletionState|null}
 */
export function completionFor(text, caret, channelId, inThread) {
  const before = text.slice(0, caret);
  const command = inThread ? null : /^\/([\p{L}\p{N}_-]*)$/u.exec(before);
  if (command) {
    const options = commands.value.map((known) => ({ ...known, name: known.name.replace(/^\//, '') })).filter(({ name }) => name.startsWith(command[1].toLowerCase()))
      .slice(0, MAX_OPTIONS).map((known) => ({ insert: `/${known.name} `, command: known }));
    return options.length ? { caption: command[1] ? `Commands matching “/${command[1]}”` : 'Commands', from: 0, to: caret, typed: before, options, index: 0 } : null;
  }
  const mention = /(?:^|[\s(])@([\p{L}\p{N}._-]{0,32})$/u.exec(before);
  if (!mention) return null;
  const wanted = mention[1].toLowerCase();
  const people = (members.value.get(channelId) ?? []).map((member) => member.user).filter((user) => user.id !== me.value?.id && matches(user, wanted)).slice(0, MAX_OPTIONS);
  const options = people.map((user) => ({ insert: `@${user.username} `, user }));
  return options.length ? { caption: 'People in this channel', from: caret - mention[1].length - 1, to: caret, typed: `@${mention[1]}`, options, index: 0 } : null;
}

/** @param {any} user @param {string} wanted */
function matches(user, wanted) {
  return [user.username, ...(user.full_name ?? '').split(/\s+/)].some((word) => word.toLowerCase().startsWith(wanted));
}

/** @param {{id:string, completion:CompletionState|null, choose:(option:Option)=>void}} props */
export function Completion({ id, completion, choose }) {
  if (!completion) return null;
  return html`<div class="pop"><p class="cap">${completion.caption}</p><div role="listbox" id=${id} aria-label=${completion.caption}>
    ${completion.options.map((option, index) => html`<div key=${option.insert} id=${`${id}-${index}`} class="opt" role="option" aria-selected=${index === completion.index}
        onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); choose(option); }}>
      ${option.command ? html`<span class="cmd">/${option.command.name}</span><span class="m">${usage(option.command)}</span><span class="end">${option.command.plugin_id ? 'plugin' : 'built in'}</span>`
        : html`<${Avatar} user=${option.user} size="sm" presence /><b><bdi>${cleanName(personName(option.user))}</bdi></b><span class="m">@${option.user.username}</span>`}
    </div>`)}</div></div>`;
}

/** @param {any} command */
function usage(command) {
  const options = (command.options ?? []).map((/** @type {any} */ option) => (option.required ? `<${option.name}>` : `[${option.name}]`)).join(' ');
  return [options, command.description].filter(Boolean).join(': ');
}
