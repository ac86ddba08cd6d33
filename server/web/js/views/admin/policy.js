/** What holds for everyone, and the way into a channel of others in an emergency. */
import { api } from '../../api.js';
import { me } from '../../store.js';
import { notify } from '../../workspace.js';
import { Confirm } from '../dialog.js';
import { Check } from '../field.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { BreakGlass } from './break_glass.js';

export function Policy() {
  return html`<${SettingsPage} title="Policy" wide><${Requirement} /><${BreakGlass} /></${SettingsPage}>`;
}

function Requirement() {
  const { value, error, reload, set } = useLoaded(() => api.policy());
  const [wanted, setWanted] = useState(/** @type {boolean|null} */ (null));
  const save = async () => {
    set(await api.setPolicy({ require_two_factor: wanted }));
    notify(wanted ? 'Everyone is asked for a second factor now.' : 'A second factor is everyone’s own choice now.');
    // It holds for me too.
    me.value = { ...me.value, ...(await api.me()) };
  };
  return html`<${Block} title="Signing in">${!value ? html`<${Waiting} error=${error} reload=${reload} />`
    : html`<${Check} id="require-two-factor" checked=${wanted ?? value.require_two_factor} onChange=${setWanted} help="People who sign in by password and have none can do nothing else before they set one up. Other systems that sign people in ask for it themselves.">Ask everyone for a second factor</${Check}>`}
    ${wanted !== null && html`<${Confirm} title=${wanted ? 'Ask everyone for a second factor?' : 'No longer ask for a second factor?'} action=${wanted ? 'Ask everyone' : 'Stop asking'} danger=${!wanted} run=${save} close=${() => setWanted(null)}>
      <p>${wanted ? `From now on, people without one must set it up before they can go on.${me.value?.two_factor_enabled ? '' : ' You have none yourself: you are asked at once.'}` : 'Those who have one keep it, and can turn it off.'}</p></${Confirm}>`}
  </${Block}>`;
}
