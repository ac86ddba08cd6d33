// Picks one of several things.

import { randomBytes } from "confab:plugin/runtime@0.1.0";

function pick(things) {
  const several = things.split(",").map((thing) => thing.trim()).filter(Boolean);
  if (several.length < 2) throw "Name two things or more, with commas between.";
  const number = new DataView(randomBytes(4).buffer).getUint32(0);
  return { content: `I pick **${several[number % several.length]}**.`, fields: [] };
}

export const commandHandler = {
  onCommand(call) {
    return { tag: "public", val: pick(call.arguments[0].value.val) };
  },
};
