// Many people in one page: each is a call of the page's own code, with an identity of its own.

/** Lets people in from a page of the service. `people` are { name, role?, hertz?, token?, hand? }. */
export async function enterCrowd(page, room, people) {
  await page.evaluate(async (roomName, crowd) => {
    const { Call } = await import("/assets/call.js");
    const context = new AudioContext();
    const tone = (hertz) => {
      const oscillator = new OscillatorNode(context, { frequency: hertz });
      const target = context.createMediaStreamDestination();
      oscillator.connect(new GainNode(context, { gain: 0.25 })).connect(target);
      oscillator.start();
      return target.stream;
    };
    const nothing = () => {};
    const enter = ({ name, hertz, token, hand }) => new Promise((resolve, reject) => {
      const secret = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
      const call = new Call({
        request: { room: roomName, name, token, secret: secret(), window: secret() },
        microphone: hertz ? tone(hertz) : null,
        muted: false,
        on: {
          change: () => call.connection === "connected" && resolve(call),
          levels: nothing,
          answer: nothing,
          refused: nothing,
          blocked: nothing,
          news: (kind, person) => {
            if (kind === "entered" && hand) call.ask({ type: "raise_hand", raised: true });
            if (kind === "invited" && person.id === call.own.id) call.ask({ type: "answer_invitation", accepted: false });
          },
          ended: ({ text }) => reject(new Error(`${name}: ${text}`)),
        },
      });
      call.start();
    });
    window.crowd = [];
    // One after another: the order of the hands is the order of the list.
    for (const person of crowd) window.crowd.push(await enter(person));
  }, room, people);
}
