// The menu and the search are labels in the theme: the keyboard reaches them as buttons, and Escape closes the menu.
const drawer = document.getElementById("__drawer");
const menu = document.querySelector('label.md-header__button[for="__drawer"]');

for (const label of document.querySelectorAll("label.md-header__button:is([for=__drawer], [for=__search])")) {
  label.tabIndex = 0;
  label.setAttribute("role", "button");
  label.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // the theme would click it again
    label.click();
  });
}

const showState = () => menu.setAttribute("aria-expanded", drawer.checked);
drawer.addEventListener("change", showState);
showState();

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drawer.checked) return;
  menu.click();
  menu.focus();
});
