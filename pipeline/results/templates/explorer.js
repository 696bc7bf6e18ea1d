"use strict";
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const find = name => document.getElementById("explorer-" + name);
  const LIST = 10;
  const items = data.items.map(([id, title, rank, interactions]) => ({id, title, rank, interactions}));
  const label = item => items[item].title || items[item].id;
  // The text that is typed for an item: titles need not be unique.
  const text = item => items[item].title ? `${items[item].title} (${items[item].id})` : items[item].id;
  let user = 0, chosen = [];

  function element(tag, content = "", className = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...[content].flat());
    return made;
  }

  function chip(item, hit = false) {
    const made = element("button", label(item), hit ? "item hit" : "item");
    made.type = "button";
    made.title = text(item);
    made.dataset.item = items[item].id;
    made.addEventListener("click", () => choose([item]));
    return made;
  }

  function list(title, name, entries) {
    const rows = entries.map(([item, note, hit]) => element("li", [chip(item, hit), element("small", note, "quiet")]));
    const made = element("div", [element("h3", title), rows.length ? element("ol", rows) : element("p", "none", "quiet")]);
    made.dataset.list = name;
    return made;
  }

  function row(title, name, ids) {
    const made = element("p", [element("b", title + " "), ...(ids.length ? ids.map(item => chip(item)) : ["none"])]);
    made.dataset.row = name;
    return made;
  }

  function showUser() {
    if (!data.users.length) {
      find("of-user").replaceChildren(element("p", "There are no users in the evaluated split.", "quiet"));
      return;
    }
    const [id, history, heldOut, lists] = data.users[user];
    const hits = new Set(heldOut);
    const columns = data.parts.map(([part, title]) =>
      list(title, title, lists[part].map(item => [item, "", hits.has(item)])));
    find("user").value = id;
    find("of-user").replaceChildren(
      row("Recent items, newest last", "history", history),
      row("Actual next items", "held-out", heldOut),
      element("div", columns, "lists"));
  }

  function choose(next) {
    chosen = next;
    find("item").value = "";
    find("message").textContent = "";
    showItems();
  }

  // Sums over the chosen items; `at` is 0 for similar items and 1 for the followers by the rules.
  function best(at, weight) {
    const sums = new Map();
    chosen.forEach((item, position) => (data.beside[item] || [[], []])[at].forEach(([other, score]) => {
      if (!chosen.includes(other)) sums.set(other, (sums.get(other) || 0) + score * weight(chosen.length - position));
    }));
    return [...sums].sort((one, two) => two[1] - one[1]).slice(0, LIST).map(([item, sum]) => [item, sum.toPrecision(3), false]);
  }

  function facts(item) {
    const {id, title, rank, interactions} = items[item];
    const remove = element("button", "\u00d7", "remove");
    remove.type = "button";
    remove.setAttribute("aria-label", `remove ${label(item)}`);
    remove.addEventListener("click", () => choose(chosen.filter(other => other !== item)));
    const popularity = rank
      ? `rank ${rank.toLocaleString("en")} of ${data.catalogue.toLocaleString("en")} by popularity, ${interactions.toLocaleString("en")} interactions`
      : "not in the train split, so the model does not know it";
    const notes = [title ? id : "", popularity, rank && !data.beside[item] ? "similar items are in the report for more popular items only" : ""];
    const made = element("p", [element("b", label(item)), " ", element("span", notes.filter(Boolean).join("; "), "quiet"), " ", remove]);
    made.dataset.fact = id;
    return made;
  }

  function showItems() {
    if (!chosen.length) {
      find("of-items").replaceChildren();
      return;
    }
    const several = chosen.length > 1;
    find("of-items").replaceChildren(
      element("h3", several ? "After these items, the last one newest" : "Item"),
      ...chosen.map(facts),
      element("div", [
        list(several ? "Similar to them" : "Similar items", "similar", best(0, () => 1 / chosen.length)),
        list("Followers by sequential rules", "following", best(1, back => back ** -data.decay)),
      ], "lists"));
  }

  function showTyped(value) {
    const index = items.findIndex((_, item) => text(item) === value || items[item].id === value);
    const titled = index >= 0 ? index : items.findIndex(item => item.title && item.title.toLowerCase() === value.toLowerCase());
    if (titled < 0) {
      find("message").textContent = `No item "${value}" in this report, which has ${items.length.toLocaleString("en")} of ${data.catalogue.toLocaleString("en")} items.`;
    } else {
      choose([...chosen.filter(item => item !== titled), titled]);
    }
  }

  function step(by) {
    user = (user + by + data.users.length) % data.users.length;
    showUser();
  }

  find("users").append(...data.users.map(([id]) => element("option", id)));
  find("items").append(...items.map((_, item) => element("option", text(item))));
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("user").addEventListener("change", event => {
    const index = data.users.findIndex(([id]) => id === event.target.value);
    find("message").textContent = index < 0 ? `No user "${event.target.value}" in this report, which has ${data.users.length} users.` : "";
    if (index >= 0) { user = index; showUser(); }
  });
  find("item").addEventListener("change", event => { if (event.target.value) showTyped(event.target.value.trim()); });
  showUser();
})();
