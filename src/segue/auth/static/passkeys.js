// Passkeys: asks the site for a challenge, the device for its answer, and sends that with the form.
(() => {
  "use strict";
  const forms = document.querySelectorAll("form[data-passkey]");
  let waiting = null; // the offer in the field of the user's name, which a click takes back

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const readable = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  async function ask(form) {
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      headers: { "X-CSRF-Token": form.elements.csrf_token.value, Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const options = await answer.json();
    options.challenge = toBytes(options.challenge);
    if (options.user) options.user.id = toBytes(options.user.id);
    options.excludeCredentials = readable(options.excludeCredentials);
    options.allowCredentials = readable(options.allowCredentials);
    return options;
  }

  function written(credential) {
    const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    const id = toText(credential.rawId);
    return JSON.stringify({ id, rawId: id, type: credential.type, response, clientExtensionResults: {} });
  }

  function tell(form, text) {
    const place = form.querySelector("[role=alert]");
    place.textContent = text;
    place.hidden = !text;
  }

  async function run(form, more) {
    const options = await ask(form);
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey: options, ...more });
    if (!credential) return;
    form.elements.credential.value = written(credential);
    const remember = document.querySelector("input[name=remember]");
    if (remember && remember.checked && !form.elements.remember) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "remember", value: "on" });
      form.append(field);
    }
    form.submit();
  }

  async function offer(form) {
    const field = document.querySelector("input[autocomplete=username]");
    const can = window.PublicKeyCredential.isConditionalMediationAvailable;
    if (!field || !can || !(await can.call(window.PublicKeyCredential))) return;
    field.autocomplete = "username webauthn";
    waiting = new AbortController();
    const { signal } = waiting;
    // An offer that nobody took is no fault, and nothing to read about.
    await run(form, { mediation: "conditional", signal }).catch(() => {});
  }

  for (const form of forms) {
    const button = form.querySelector("button");
    if (!window.PublicKeyCredential) {
      if (form.dataset.passkey === "create") tell(form, "This browser has no passkeys, or the site is not served by HTTPS.");
      continue;
    }
    form.hidden = false;
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (waiting) waiting.abort();
      tell(form, "");
      button.disabled = true;
      try {
        await run(form, {});
      } catch (error) {
        tell(form, error.name === "InvalidStateError"
          ? "This device has a passkey for your account already."
          : "That did not work, or was stopped. Try again.");
      } finally {
        button.disabled = false;
      }
    });
    if (form.dataset.passkey === "get") offer(form);
  }
})();
