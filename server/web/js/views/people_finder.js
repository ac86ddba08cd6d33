import { api } from '../page_api.js';
import { personName } from '../names.js';
import { attempt } from '../notices.js';
import { me } from '../store.js';
import { Avatar, PersonName, PresenceWord } from './avatar.js';
import { Field } from './field.js';
import { html, useEffect, useState } from './html.js';

/** A search for people. @param {{label:string, choose:(user:any)=>void, except?:Set<string>, action:string}} props */
export function PeopleFinder({ label, choose, except, action }) {
  const [text, setText] = useState('');
  const [people, setPeople] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(() => void attempt(api.users(text.trim())).then((list) => { if (!stale) setPeople(list?.items ?? []); }), text ? 150 : 0);
    return () => { stale = true; clearTimeout(timer); };
  }, [text]);
  const shown = people.filter((user) => user.id !== me.value?.id && !except?.has(user.id));
  return html`<${Field} id="people-filter" label=${label} type="search" value=${text} onInput=${setText} autofocus autocomplete="off" />
    <ul class="pick">${shown.map((user) => html`<li key=${user.id}><span class="pick-t"><${Avatar} user=${user} size="sm" presence /><b><${PersonName} user=${user} /></b><small>@${user.username}</small><${PresenceWord} userId=${user.id} /></span>
      <button class="btn" aria-label=${`${action} ${personName(user)}`} onClick=${() => { choose(user); setText(''); document.getElementById('people-filter')?.focus(); }}>${action}</button></li>`)}</ul>`;
}
