/** How the page looks and speaks, on this device. */
import { density, theme } from '../../layout.js';
import { t } from '../../page_words.js';
import { chooseLanguage, chosenLanguage, LANGUAGES } from '../../words.js';
import { Choice } from '../field.js';
import { html } from '../html.js';
import { Block, SettingsPage } from '../settings.js';

/** @type {[string, string][]} */
const THEMES = [['system', t('as_the_system')], ['light', t('light')], ['dark', t('dark')]];
/** @type {[string, string][]} */
const DENSITIES = [['comfortable', t('comfortable')], ['compact', t('compact')]];

export function Appearance() {
  const speak = (/** @type {string} */ code) => {
    chooseLanguage(code);
    // Words stand in everything that is drawn: the page begins anew.
    location.reload();
  };
  return html`<${SettingsPage} title=${t('appearance')} lead=${t('appearance_lead')}>
    <${Block} title=${t('language')}><${Choice} id="language" label=${t('language')} value=${chosenLanguage()} onInput=${speak} options=${[['', t('as_the_browser')], ...LANGUAGES]} help=${t('language_help')} /></${Block}>
    <${Block} title=${t('colours')}><${Choice} id="theme" label=${t('theme')} value=${theme.value} onInput=${(/** @type {any} */ name) => { theme.value = name; }} options=${THEMES} />
      <${Choice} id="density" label=${t('density')} value=${density.value} onInput=${(/** @type {any} */ name) => { density.value = name; }} options=${DENSITIES} /></${Block}>
  </${SettingsPage}>`;
}
