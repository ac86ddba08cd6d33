/** Jump to anything: channels, people, commands, a search, a question. */
import { api } from '../page_api.js';
import { openDirect } from '../direct_conversation.js';
import { cleanName } from '../format.js';
import { dialog, panel } from '../layout.js';
import { channelTitle, personName } from '../names.js';
import { setDraft } from '../drafts.js';
import { t } from '../page_words.js';
import { channelPath, navigate, route, searchPath } from '../router.js';
import { commands, isConversation, me, myChannels, presences } from '../store.js';
import { Avatar, presenceWord } from './avatar.js';
import { Dialog } from './dialog.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './icon.js';
import { ChannelIcon } from './channel_name.js';
import { isApple } from './sidebar.js';

const MAX_CHANNELS = 7;
const MAX_PEOPLE = 4;
const MAX_COMMANDS = 3;

/** @typedef {{key:string, mark:any, name:string, detail?:string, kind?:any, keys?:string, go:()=>void}} Choice keys: what opens it whichever choice is the current one, with the command key */
/** @typedef {''|'#'|'@'|'/'} Sort what alone is looked for, by its mark */

export function Switcher() {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const sort = /** @type {Sort} */ (/^[#@/]/.test(text) ? text[0] : '');
  const wanted = text.slice(sort.length).trim();
  const people = usePeople(sort === '' || sort === '@' ? wanted : '');
  const choices = choicesFor(sort, wanted, people);
  const current = Math.min(index, choices.length - 1);
  const go = (/** @type {Choice|undefined} */ choice) => {
    dialog.value = '';
    choice?.go();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setIndex((current + (event.key === 'ArrowDown' ? 1 : -1) + choices.length) % choices.length);
    else if (event.key === 'Enter') go((command(event) && choices.find(({ key }) => key === 'search')) || choices[current]);
    else if (command(event) && event.key.toLowerCase() === 'j' && choices.some(({ key }) => key === 'ask')) go(choices.find(({ key }) => key === 'ask'));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<${Dialog} title=${t('jump_to')} bare class="switcher">
    <div class="inp"><${Icon} name="find" /><input class="typed" role="combobox" aria-expanded="true" aria-controls="switcher-list" aria-activedescendant=${`switcher-${current}`} aria-label=${t('jump_to')} placeholder=${t('jump_to_or_search')} autofocus
      value=${text} onInput=${(/** @type {any} */ event) => { setText(event.target.value); setIndex(0); }} onKeyDown=${onKeyDown} /><kbd>Esc</kbd></div>
    <div class="list" id="switcher-list" role="listbox" aria-label=${t('results')}>
      ${choices.map((choice, at) => html`<div key=${choice.key} id=${`switcher-${at}`} class="opt" role="option" aria-selected=${at === current} onMouseMove=${(/** @type {MouseEvent} */ event) => { if (event.movementX || event.movementY) setIndex(at); }} onClick=${() => go(choice)}>
        ${choice.mark}<b class=${choice.key.startsWith('/') ? 'mono' : ''}><bdi><${Found} name=${cleanName(choice.name)} wanted=${choice.keys ? '' : wanted} /></bdi></b><span class="m">${choice.detail ?? ''}</span><span class="end">${choice.keys ? html`<kbd>${isApple() ? '⌘' : t('ctrl').trim()}</kbd> <kbd>${choice.keys}</kbd>` : choice.kind}</span></div>`)}
      ${!choices.length && html`<p class="page-note">${t('nothing_is_called_so')}</p>`}
    </div>
    <div class="foot"><span><kbd>↑</kbd><kbd>↓</kbd> ${t('to_move')}</span><span><kbd>Enter</kbd> ${t('to_open')}</span><span class="sorts">${t('type_mark')} <kbd>#</kbd> ${t('channel_kind')}, <kbd>@</kbd> ${t('person_kind')}, <kbd>/</kbd> ${t('command_kind')}</span></div>
  </${Dialog}>`;
}

/** @param {KeyboardEvent} event */
function command(event) {
  return event.metaKey || event.ctrlKey;
}

/** @param {string} text */
function usePeople(text) {
  const [people, setPeople] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    setPeople([]);
    if (!text) return undefined;
    let stale = false;
    const timer = setTimeout(() => api.users(text).then((list) => { if (!stale) setPeople(list.items); }, () => {}), 150);
    return () => { stale = true; clearTimeout(timer); };
  }, [text]);
  return people.filter((user) => user.id !== me.value?.id).slice(0, MAX_PEOPLE);
}

/** The part of a name that was typed, marked. @param {{name:string, wanted:string}} props */
function Found({ name, wanted }) {
  const at = wanted ? name.toLowerCase().indexOf(wanted.toLowerCase()) : -1;
  return at < 0 ? name : html`${name.slice(0, at)}<mark>${name.slice(at, at + wanted.length)}</mark>${name.slice(at + wanted.length)}`;
}

/** @param {Sort} sort @param {string} text @param {any[]} people @returns {Choice[]} */
function choicesFor(sort, text, people) {
  const choices = sort === '' || sort === '#' ? channelsFor(text) : [];
  for (const user of people) choices.push({ key: user.id, mark: html`<${Avatar} user=${user} size="sm" presence />`, name: personName(user), detail: `@${user.username}`, kind: presenceWord(presences.value.get(user.id)), go: () => void openDirect([user.id]) });
  if (sort === '/' || (sort === '' && text)) choices.push(...commandsFor(text));
  if (sort) return choices;
  choices.push({ key: 'search', mark: html`<${Icon} name="find" />`, name: text ? t('search_messages_for', { text }) : t('search_messages'), keys: 'Enter', go: () => navigate(searchPath(text)) });
  if (text) choices.push({ key: 'ask', mark: html`<span class="ai"><${Icon} name="spark" /></span>`, name: t('ask_the_assistant', { text }), keys: 'J', go: () => { panel.value = 'assistant'; void import('../assistant.js').then(({ askInPane }) => askInPane(text)); } });
  return choices;
}

/** @param {string} text @returns {Choice[]} */
function channelsFor(text) {
  return myChannels.value.map((channel) => ({ channel, score: score(channelTitle(channel), text) + (channel.unread_count ? 0.5 : 0) }))
    .filter(({ score: points }) => points >= 1).sort((left, right) => right.score - left.score).slice(0, MAX_CHANNELS)
    .map(({ channel }) => ({
      key: channel.id, mark: html`<${ChannelIcon} channel=${channel} />`, name: channelTitle(channel), detail: channel.topic ?? '',
      kind: channel.unread_count ? t('unread_count', { count: channel.unread_count }) : isConversation(channel) ? t('conversation_kind') : t('channel_kind'), go: () => navigate(channelPath(channel.id)),
    }));
}

/** Commands run in a channel: the one on screen gets its beginning. @param {string} text @returns {Choice[]} */
function commandsFor(text) {
  const { name, channelId } = route.value;
  if (name !== 'channel') return [];
  return commands.value.map((command) => ({ ...command, name: command.name.replace(/^\//, '') })).filter((command) => command.name.startsWith(text.toLowerCase())).slice(0, MAX_COMMANDS)
    .map((command) => ({ key: `/${command.name}`, mark: html`<${Icon} name="slash" />`, name: `/${command.name}`, detail: command.description ?? '', kind: t('command_kind'), go: () => setDraft({ channelId }, `/${command.name} `) }));
}

/** 0 for no match; a name that begins with the text is better than one that holds it. @param {string} name @param {string} text */
function score(name, text) {
  const at = name.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0) return 0;
  return at === 0 ? 3 : /[\s_-]/.test(name[at - 1]) ? 2 : 1;
}
