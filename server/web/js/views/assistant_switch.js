/** Where the assistant is off: what stands there is given to no model, and nothing is answered from it. */
import { notify } from '../notices.js';
import { t } from '../page_words.js';
import { Check, FormError } from './field.js';
import { html, useState } from './html.js';
import { useLoaded, Waiting } from './loading.js';

/**
 * @param {{id:string, load:()=>Promise<any>, save:(isOff:boolean)=>Promise<any>, children:any, help:string, changed?:(isOff:boolean)=>void}} props
 */
export function AssistantSwitch({ id, load, save, children, help, changed = () => {} }) {
  const { value, error, reload, set } = useLoaded(load, [id]);
  const [refusal, setRefusal] = useState('');
  const [busy, setBusy] = useState(false);
  if (!value) return html`<${Waiting} error=${error} reload=${reload} />`;
  const flip = async (/** @type {boolean} */ isOn) => {
    setBusy(true);
    setRefusal('');
    try {
      set({ ...value, ...(await save(!isOn)) });
      changed(!isOn);
      notify(isOn ? t('the_assistant_is_on') : t('the_assistant_is_off'));
    } catch (failure) {
      setRefusal(/** @type {Error} */ (failure).message);
    }
    setBusy(false);
  };
  return html`<${FormError} error=${refusal} /><${Check} id=${id} checked=${!value.is_off} disabled=${busy} onChange=${flip} help=${help}>${children}</${Check}>`;
}
