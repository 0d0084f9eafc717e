"""Style and script of the page for developers, in one text each: it loads nothing else."""

from __future__ import annotations

import re

__all__ = ["SCRIPT", "STYLE"]

STYLE = re.sub(
    r"\s*\n\s*",
    "",
    """
    :root{color-scheme:light dark;--bg:#faf9f7;--card:#fff;--ink:#211f1c;--soft:#655f57;--line:#dfdad2;
    --mark:#ffefcf;--under:#b4500b;--own:#8a3b12;--red:#a32014;--tint:#fdf0ee;--help:#eef5ee;--edge:#3c7a4a}
    @media (prefers-color-scheme:dark){:root{--bg:#171614;--card:#1f1e1b;--ink:#ece7df;--soft:#a79f94;
    --line:#393631;--mark:#453413;--under:#ffb454;--own:#ffb27a;--red:#ff9d90;--tint:#2c1c1a;--help:#1a251c;
    --edge:#79b987}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif;
    -webkit-text-size-adjust:100%}
    header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
    header{padding-top:1.5rem}main{padding-bottom:1rem}
    .line{margin:0;color:var(--soft);overflow-wrap:anywhere}
    h1{margin:.15rem 0 .5rem;font-size:1.6rem;line-height:1.2;overflow-wrap:anywhere;color:var(--red)}
    h2{font-size:1.05rem;margin:1.8rem 0 .5rem}
    pre,code,input,textarea{font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
    pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
    .message{font-size:15px;padding:.7rem .9rem;background:var(--tint);border-left:4px solid var(--red);
    border-radius:0 6px 6px 0;max-height:16rem;overflow:auto}
    .advice .wide{background:var(--help);border-left:4px solid var(--edge);border-radius:0 6px 6px 0;
    padding:.5rem .9rem}
    .note{color:var(--soft);margin:.5rem 0;font-size:.9rem;white-space:pre-wrap}
    ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere;margin:.2rem 0}
    table{border-collapse:collapse;width:100%;table-layout:fixed}
    th{text-align:left;vertical-align:top;padding:.18rem .8rem .18rem 0;color:var(--soft);font-weight:500;
    font-size:.85rem;width:11rem;overflow-wrap:anywhere}
    td{vertical-align:top;padding:.18rem 0}
    .frame{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.4rem 0;overflow:hidden}
    .frame>summary,.folded>summary,.place{padding:.45rem .8rem;cursor:pointer;overflow-wrap:anywhere;margin:0}
    .frame>summary code{color:var(--soft)}.frame.own>summary b,.frame.own>summary code{color:var(--own)}
    .frame .wide{padding:.5rem .8rem}.frame .note{padding:0 .8rem}
    .folded{margin:.4rem 0}.folded>summary{color:var(--soft);font-size:.9rem}
    .source{white-space:pre;overflow-wrap:normal;overflow-x:auto;padding:.4rem 0;
    border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
    .source i{font-style:normal;color:var(--soft);user-select:none}
    mark{background:var(--mark);color:inherit;display:block;width:max-content;min-width:100%}
    u{text-decoration:underline 2px var(--under);text-underline-offset:3px}
    .console{padding:.6rem .8rem;border-top:1px solid var(--line)}
    .console output{display:block;white-space:pre-wrap;overflow-wrap:anywhere;max-height:22rem;overflow:auto;
    font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
    .console .typed{color:var(--soft)}.console .failed{color:var(--red)}
    .console form{display:flex;gap:.5rem;margin-top:.3rem}
    .console textarea,.console input{flex:1;min-width:0;padding:.45rem .6rem;border:1px solid var(--line);
    border-radius:6px;background:var(--bg);color:var(--ink);resize:vertical}
    .console button{padding:.45rem .9rem;border:1px solid var(--line);border-radius:6px;background:var(--bg);
    color:var(--ink);font:inherit;cursor:pointer}
    :focus-visible{outline:2px solid var(--under);outline-offset:1px}
    footer{color:var(--soft);font-size:.85rem;padding-bottom:2rem}
    @media (max-width:40rem){header{padding-top:1rem}h1{font-size:1.35rem}
    table,tbody,tr,th,td{display:block;width:100%}td{padding-bottom:.4rem}th{padding-bottom:0}}
    """,
)

# Values go into the page by textContent alone, never as markup.
SCRIPT = r"""
"use strict";
(() => {
  const body = document.body.dataset;
  const call = (what, value) => fetch(body.console + what, {
    method: "POST",
    headers: {"content-type": "application/json", "x-segue-debugger": body.secret},
    body: JSON.stringify(value),
  }).then(async (answer) => [answer.status, await answer.json()]);
  const make = (name, attributes, text) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const write = (output, kind, text) => {
    if (!text) return;
    output.append(make("div", {class: kind}, text));
    output.scrollTop = output.scrollHeight;
  };
  for (const box of document.querySelectorAll(".console")) {
    const output = make("output", {"aria-live": "polite"});
    const form = make("form", {});
    const input = make("textarea", {rows: "1", spellcheck: "false", autocapitalize: "off",
      placeholder: "Python in this frame", "aria-label": "Python in this frame"});
    const button = make("button", {}, "Run");
    const past = [];
    let at = 0;
    let waiting = "";
    form.append(input, button);
    box.append(output, form);
    box.hidden = false;
    const run = async (code) => {
      const [status, answer] = await call("run", {error: body.error, frame: Number(box.dataset.frame), code});
      if (status === 401) {
        waiting = code;
        input.value = "";
        input.placeholder = "PIN, from the log of the server";
        write(output, "note", answer.detail);
        return;
      }
      write(output, "", answer.output);
      write(output, status === 200 ? "failed" : "failed", answer.failure || (status === 200 ? "" : answer.detail));
      write(output, "", answer.value);
    };
    const unlock = async (pin) => {
      const [status, answer] = await call("unlock", {pin});
      if (status !== 200) { write(output, "failed", answer.detail); return; }
      input.placeholder = "Python in this frame";
      const code = waiting;
      waiting = "";
      await run(code);
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = input.value;
      if (!text.trim()) return;
      input.value = "";
      try {
        if (waiting) { await unlock(text.trim()); return; }
        past.push(text);
        at = past.length;
        write(output, "typed", ">>> " + text.replace(/\n/g, "\n... "));
        await run(text);
      } catch (error) {
        write(output, "failed", "The server does not answer: " + error.message);
      }
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); form.requestSubmit(); }
      if (event.key === "ArrowUp" && at > 0 && !input.value.includes("\n")) input.value = past[--at];
      if (event.key === "ArrowDown" && at < past.length && !input.value.includes("\n")) input.value = past[++at] || "";
    });
  }
})();
"""
