/** The words of what one writes with and of what is done with a message: they come with the first of its parts, behind the messages. */
import english from './words/en_channel.js';
import { addWords, language, t } from './words.js';

const OTHERS = /** @type {Record<string, () => Promise<{default:Record<string,import('./words.js').Words>}>>} */ ({ de: () => import('./words/de_channel.js') });

addWords(english);
// Never failing, unlike a fetch that a page tries again: a module that failed once stays failed.
if (OTHERS[language]) addWords((await OTHERS[language]().catch(() => ({ default: {} }))).default);

export { t };
