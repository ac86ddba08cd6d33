// Picks one of several things, and again when somebody presses the button.

import { randomBytes } from "confab:plugin/runtime@0.2.0";

function pick(things) {
  const several = things.split(",").map((thing) => thing.trim()).filter(Boolean);
  // Shown to whoever asked, and to nobody else.
  if (several.length < 2) throw "Name two things or more, with commas between.";
  const number = new DataView(randomBytes(4).buffer).getUint32(0);
  const again = { action: "again", payload: things.slice(0, 1000), label: "Pick again", style: "plain" };
  return { content: `I pick **${several[number % several.length]}**.`, fields: [], buttons: [again] };
}

export const commandHandler = {
  onCommand(call) {
    return { tag: "public", val: pick(call.arguments[0].value.val) };
  },
};

export const actionHandler = {
  onAction(press) {
    return { tag: "update", val: pick(press.payload) };
  },
};
