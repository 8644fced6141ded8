// Browsers load the parts of a page from hosts only, and not from a folder.

if (location.protocol === "file:") {
  const message = document.getElementById("message");
  message.textContent = "This page does not run from a folder. In its folder, run python -m http.server, and open http://localhost:8000.";
  message.hidden = false;
  document.getElementById("waiting").hidden = true;
}
