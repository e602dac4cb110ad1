// The only script of the shop: counts down to the time in <time data-countdown>. Without it the
// page shows that time, and nothing else is missing.
for (const element of document.querySelectorAll('time[data-countdown]')) {
  const expiresAt = Date.parse(element.dateTime);
  const absolute = new Date(expiresAt).toLocaleTimeString();
  const show = () => {
    const seconds = Math.max(0, Math.round((expiresAt - Date.now()) / 1000));
    element.textContent = seconds > 0 ? `${absolute}, in ${seconds} s` : `${absolute}, it is over`;
  };
  show();
  setInterval(show, 1000);
}
