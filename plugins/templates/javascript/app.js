// Greets people, and counts how often.

import { add } from "confab:plugin/kv@0.2.0";

// What the plugin's bot says where everybody sees it.
const say = (content) => ({ tag: "public", val: { content, fields: [], buttons: [] } });

export const commandHandler = {
  onCommand(call) {
    const given = Object.fromEntries(call.arguments.map(({ name, value }) => [name, value.val]));
    let count;
    try {
      count = add("greetings", 1n);
    } catch (failure) {
      // Shown to whoever gave the command, and to nobody else.
      throw `I cannot count: ${failure.payload?.tag ?? failure}`;
    }
    return say(`${call.user.displayName} greets ${given.whom ?? "everybody"} (greeting ${count})`);
  },
};
