/** The voice bar: where I talk, how well it goes, and what I can do about it. */
import { cleanName } from '../../format.js';
import { channelPath } from '../../router.js';
import { channels } from '../../store.js';
import { call, standing, voice } from '../../voice/state.js';
import { attempt } from '../../notices.js';
import { t } from '../../page_words.js';
import { html } from '../html.js';
import { IconButton } from '../icon.js';

/** @param {{inPage?:boolean}} props inPage: where a narrow window hides the list */
export function VoiceBar({ inPage = false }) {
  const now = call.value;
  if (!now) return null;
  const name = cleanName(channels.value.get(now.channelId)?.name ?? t('a_voice_channel'));
  const { words, isBad, isWell } = standing(now);
  const speaks = now.participants.some((one) => one.speaking);
  const canShare = Boolean(navigator.mediaDevices?.getDisplayMedia) && now.status === 'in';
  const act = (/** @type {(calls:typeof import('../../voice/call.js'))=>unknown} */ what) => () => void attempt(voice().then(what));
  return html`<section class=${`inroom ${inPage ? 'in-page' : ''} ${isBad ? 'is-bad' : ''}`} aria-label=${t('voice')}>
    <span class=${speaks ? 'bars is-loud' : 'bars'} aria-hidden="true"><i></i><i></i><i></i><i></i></span>
    <a class="inroom-t" href=${channelPath(now.channelId)}><b>${t('in_2')} <bdi>${name}</bdi></b><small class=${isWell ? 'sr' : ''} role=${inPage ? undefined : 'status'}>${words}</small></a>
    <span class="ctl">
      <${IconButton} icon=${now.muted ? 'micoff' : 'mic'} label=${now.hasMicrophone ? t('mute_the_microphone') : t('there_is_no_microphone')} pressed=${now.muted} disabled=${!now.hasMicrophone} onClick=${act((calls) => calls.setMuted(!now.muted))} />
      <${IconButton} icon=${now.deafened ? 'earoff' : 'ear'} label=${t('silence_the_others')} pressed=${now.deafened} onClick=${act((calls) => calls.setDeafened(!now.deafened))} />
      <${IconButton} icon="share" label=${t('show_your_screen')} pressed=${now.sharing} disabled=${!canShare} onClick=${act((calls) => (now.sharing ? calls.stopSharing() : calls.startSharing()))} />
      <${IconButton} icon="leave" label=${t('leave_the_voice_channel')} onClick=${act((calls) => calls.leaveCall())} />
    </span>
  </section>`;
}
