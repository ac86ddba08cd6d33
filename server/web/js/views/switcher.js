/** Jump to anything: channels, people, a search, a question. */
import { api } from '../api.js';
import { openDirect } from '../direct_conversation.js';
import { cleanName } from '../format.js';
import { dialog, panel } from '../layout.js';
import { channelTitle, personName } from '../names.js';
import { channelPath, navigate, searchPath } from '../router.js';
import { me, myChannels } from '../store.js';
import { Avatar } from './avatar.js';
import { Dialog } from './dialog.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './icon.js';
import { ChannelIcon } from './shell.js';

const MAX_CHANNELS = 7;
const MAX_PEOPLE = 4;

/** @typedef {{key:string, mark:any, name:string, detail?:string, kind:string, go:()=>void}} Choice */

export function Switcher() {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const people = usePeople(text.trim());
  const choices = choicesFor(text.trim(), people);
  const current = Math.min(index, choices.length - 1);
  const go = (/** @type {Choice|undefined} */ choice) => {
    dialog.value = '';
    choice?.go();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setIndex((current + (event.key === 'ArrowDown' ? 1 : -1) + choices.length) % choices.length);
    else if (event.key === 'Enter') go(choices[current]);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Jump to" bare class="switcher">
    <div class="inp"><${Icon} name="find" /><input class="typed" role="combobox" aria-expanded="true" aria-controls="switcher-list" aria-activedescendant=${`switcher-${current}`} aria-label="Jump to" placeholder="Jump to or search" autofocus
      value=${text} onInput=${(/** @type {any} */ event) => { setText(event.target.value); setIndex(0); }} onKeyDown=${onKeyDown} /><kbd>Esc</kbd></div>
    <div class="list" id="switcher-list" role="listbox" aria-label="Results">
      ${choices.map((choice, at) => html`<div key=${choice.key} id=${`switcher-${at}`} class="opt" role="option" aria-selected=${at === current} onMouseMove=${(/** @type {MouseEvent} */ event) => { if (event.movementX || event.movementY) setIndex(at); }} onClick=${() => go(choice)}>
        ${choice.mark}<b><bdi>${cleanName(choice.name)}</bdi></b><span class="m">${choice.detail ?? ''}</span><span class="end">${choice.kind}</span></div>`)}
    </div>
    <div class="foot"><span><kbd>↑</kbd><kbd>↓</kbd> to move</span><span><kbd>Enter</kbd> to open</span></div>
  </${Dialog}>`;
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

/** @param {string} text @param {any[]} people @returns {Choice[]} */
function choicesFor(text, people) {
  const found = myChannels.value.map((channel) => ({ channel, score: score(channelTitle(channel), text) + (channel.unread_count ? 0.5 : 0) }))
    .filter(({ score: points }) => points >= 1).sort((left, right) => right.score - left.score).slice(0, MAX_CHANNELS);
  /** @type {Choice[]} */
  const choices = found.map(({ channel }) => ({
    key: channel.id, mark: html`<${ChannelIcon} channel=${channel} />`, name: channelTitle(channel), detail: channel.topic ?? '', kind: channel.unread_count ? `${channel.unread_count} unread` : '', go: () => navigate(channelPath(channel.id)),
  }));
  for (const user of people) choices.push({ key: user.id, mark: html`<${Avatar} user=${user} size="sm" presence />`, name: personName(user), detail: `@${user.username}`, kind: 'person', go: () => void openDirect([user.id]) });
  if (text) {
    choices.push({ key: 'search', mark: html`<${Icon} name="find" />`, name: `Search messages for “${text}”`, kind: '', go: () => navigate(searchPath(text)) });
    choices.push({ key: 'ask', mark: html`<${Icon} name="spark" />`, name: `Ask the assistant: “${text}”`, kind: '', go: () => { panel.value = 'assistant'; void import('../assistant.js').then(({ askInPane }) => askInPane(text)); } });
  }
  return choices;
}

/** 0 for no match; a name that begins with the text is better than one that holds it. @param {string} name @param {string} text */
function score(name, text) {
  const at = name.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0) return 0;
  return at === 0 ? 3 : /[\s_-]/.test(name[at - 1]) ? 2 : 1;
}
