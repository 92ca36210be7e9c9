// The page behind a one-time link. The secret stands behind the # of the address, so only this script sees it.
"use strict";

const form = document.querySelector("form");
const password = document.querySelector("#password");
const said = document.querySelector("#said");
const button = document.querySelector("button");
const secret = location.hash.slice(1);

function say(code) {
  const text = document.querySelector(`#texts [data-code="${code}"]`) || document.querySelector("#texts [data-code=unknown]");
  said.textContent = text.textContent;
  said.hidden = false;
}

function codeOf(answer, body) {
  if (answer.status === 429) return "too_many";
  if (answer.status >= 500) return "later";
  const wrong = (body.errors || []).find((each) => each.field === "password");
  return wrong ? wrong.code : body.error || "unknown";
}

async function send(event) {
  event.preventDefault();
  button.disabled = true;
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify({ token: secret, password: password.value }),
    });
    if (answer.ok) {
      // The link is used up: neither it nor the password stays behind in this browser.
      history.replaceState(null, "", location.pathname);
      password.value = "";
      form.hidden = true;
      say("done");
      return;
    }
    say(codeOf(answer, await answer.json().catch(() => ({}))));
  } catch {
    say("not_reached");
  } finally {
    button.disabled = false;
  }
  password.focus();
}

document.querySelector("#shown").addEventListener("change", (event) => {
  password.type = event.target.checked ? "text" : "password";
});
form.addEventListener("submit", send);
if (secret) form.hidden = false;
else say("no_secret");
