/** The common emoji, with the names and shortcodes people know them by. */

/** Character, name, shortcode. @type {[string, string, string][]} */
export const EMOJI = [
  ['👍', 'thumbs up', 'thumbsup'], ['👎', 'thumbs down', 'thumbsdown'], ['❤️', 'heart', 'heart'], ['😂', 'tears of joy', 'joy'],
  ['🎉', 'party', 'tada'], ['😮', 'surprised', 'open_mouth'], ['😢', 'crying', 'cry'], ['🙏', 'thank you', 'pray'],
  ['👏', 'clapping hands', 'clap'], ['🚀', 'rocket', 'rocket'], ['👀', 'eyes', 'eyes'], ['✅', 'done', 'white_check_mark'],
  ['❌', 'cross', 'x'], ['🔥', 'fire', 'fire'], ['💯', 'hundred', '100'], ['🤔', 'thinking', 'thinking'],
  ['😀', 'grinning', 'grinning'], ['😅', 'sweat smile', 'sweat_smile'], ['😊', 'blushing', 'blush'], ['😍', 'heart eyes', 'heart_eyes'],
  ['😎', 'cool', 'sunglasses'], ['🙂', 'slight smile', 'slightly_smiling_face'], ['🙃', 'upside down', 'upside_down_face'], ['😉', 'wink', 'wink'],
  ['😬', 'grimace', 'grimacing'], ['😴', 'sleeping', 'sleeping'], ['🤯', 'mind blown', 'exploding_head'], ['🥳', 'partying face', 'partying_face'],
  ['🤝', 'handshake', 'handshake'], ['💪', 'strong', 'muscle'], ['👋', 'waving hand', 'wave'], ['🙌', 'raised hands', 'raised_hands'],
  ['☕', 'coffee', 'coffee'], ['🍕', 'pizza', 'pizza'], ['🎂', 'cake', 'birthday'], ['🌱', 'seedling', 'seedling'],
  ['⭐', 'star', 'star'], ['💡', 'idea', 'bulb'], ['📌', 'pin', 'pushpin'], ['🐛', 'bug', 'bug'],
  ['🚢', 'ship', 'ship'], ['⚠️', 'warning', 'warning'], ['⏳', 'hourglass', 'hourglass'], ['🔒', 'lock', 'lock'],
  ['📈', 'chart up', 'chart_with_upwards_trend'], ['📝', 'memo', 'memo'], ['🔗', 'link', 'link'], ['🎲', 'dice', 'game_die'],
];

/** @type {[string, string, string, string?][]} */
let all = EMOJI;
/** @type {Promise<void>|null} */
let loading = null;

/** All that are known at the moment, with further words to find them by. */
export function allEmoji() {
  return all;
}

/** The thousands that are less common come when somebody looks for one. */
export function loadEveryEmoji() {
  loading ??= import('../vendor/emoji.js').then(({ EVERY }) => {
    const common = new Set(EMOJI.map(([face]) => face));
    all = [...EMOJI, .../** @type {[string, string, string, string][]} */ (EVERY).filter(([face]) => !common.has(face))];
    for (const [face, name] of all) if (!names.has(face)) names.set(face, name);
  }, () => { loading = null; }); // asked for again with the next
  return loading;
}

const byShortcode = new Map(EMOJI.map(([face, , code]) => [code, face]));
byShortcode.set('+1', '👍').set('-1', '👎').set('dice', '🎲');
const names = new Map(EMOJI.map(([face, name]) => [face, name]));

/** What is drawn for a reaction code: its character, or the code between colons. @param {string} code */
export function emojiOf(code) {
  return byShortcode.get(code) ?? (/^[\w+-]+$/.test(code) ? `:${code}:` : code);
}

/** @param {string} code */
export function emojiName(code) {
  return names.get(emojiOf(code)) ?? code.replace(/_/g, ' ');
}
