"use strict";
(function () {
  document.documentElement.classList.add("js");

  // Coming back with the browser's back button: ask the server what has become of the session meanwhile.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });

  var forms = document.querySelectorAll("form[data-once]");
  var sent = false;
  function sendOnce(form, event) {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    var button = form.querySelector("button[data-main]") || event.submitter;
    // After this event: a disabled button's own value would not be sent.
    setTimeout(function () {
      form.querySelectorAll("button").forEach(function (each) { each.disabled = true; });
      if (button) {
        button.classList.add("busy");
        var text = button.querySelector("[data-text]");
        if (text) text.textContent = button.dataset.busy || text.textContent;
      }
      var live = document.getElementById("live");
      if (live) live.textContent = "Please wait.";
    });
  }

  var form = document.getElementById("pay");
  forms.forEach(function (each) {
    if (each !== form) each.addEventListener("submit", function (event) { sendOnce(each, event); });
  });
  if (!form) return;

  var field = function (name) { return form.elements.namedItem(name); };
  var digits = function (text) { return text.replace(/\D/g, ""); };
  var BRANDS = JSON.parse(document.getElementById("brands").textContent);
  var marks = document.getElementById("marks");
  var known = {};
  marks.querySelectorAll("[data-brand]").forEach(function (mark) { known[mark.dataset.brand] = mark; });

  function brandOf(number) {
    for (var i = 0; i < BRANDS.length; i++) {
      if (new RegExp("^(?:" + BRANDS[i][1] + ")").test(number)) return BRANDS[i][0];
    }
    return "";
  }
  function group(number) {
    var cuts = brandOf(number) === "amex" ? [4, 10, 15] : [4, 8, 12, 16, 19];
    var parts = [], from = 0;
    cuts.forEach(function (to) { if (number.length > from) parts.push(number.slice(from, to)); from = to; });
    return parts.join(" ");
  }
  function luhn(number) {
    var sum = 0;
    for (var i = 0; i < number.length; i++) {
      var value = Number(number[number.length - 1 - i]) * (1 + (i % 2));
      sum += value > 9 ? value - 9 : value;
    }
    return sum % 10 === 0;
  }
  function codeLength() { return brandOf(digits(field("number").value)) === "amex" ? 4 : 3; }

  function showBrand() {
    var brand = brandOf(digits(field("number").value));
    Object.keys(known).forEach(function (name) {
      var shown = brand ? name === brand : ["visa", "mastercard", "amex"].indexOf(name) >= 0;
      known[name].style.display = shown ? "block" : "none";
    });
    document.getElementById("brand-live").textContent = brand && known[brand] ? known[brand].dataset.label : "";
    field("cvc").maxLength = codeLength();
    field("cvc").placeholder = codeLength() === 4 ? "1234" : "123";
  }

  // Keep the caret behind the same digit while blanks come and go.
  function reformat(input, format) {
    var before = digits(input.value.slice(0, input.selectionStart)).length;
    var atEnd = input.selectionStart === input.value.length;
    var text = format(digits(input.value));
    if (text === input.value) return;
    input.value = text;
    var caret = text.length;
    if (!atEnd) {
      for (caret = 0; before > 0 && caret < text.length; caret++) if (/\d/.test(text[caret])) before--;
    }
    input.setSelectionRange(caret, caret);
  }
  function formatExpiry(number) {
    if (/^[2-9]/.test(number)) number = "0" + number;
    number = number.slice(0, 4);
    return number.length > 2 ? number.slice(0, 2) + " / " + number.slice(2) : number;
  }

  var now = new Date(Number(form.dataset.now) * 1000);
  var CHECKS = {
    email: function (value) {
      return /^[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}$/.test(value) ? "" : "Enter an email address such as name@example.com.";
    },
    number: function (value) {
      var number = digits(value);
      if (!number) return "Enter your card number.";
      if (number.length < ({ amex: 15, diners: 14 }[brandOf(number)] || 16)) return "Your card number is incomplete.";
      return luhn(number) ? "" : "Your card number is not valid. Check the digits.";
    },
    expiry: function (value) {
      var match = /^(\d{1,2})\s*\/?\s*(\d{2}|\d{4})$/.exec(value);
      if (!match) return "Enter the expiry date as MM / YY.";
      var month = Number(match[1]), year = Number(match[2]);
      if (year < 100) year += 2000;
      if (month < 1 || month > 12) return "The month of the expiry date is 01 to 12.";
      var past = year * 12 + month - 1 < now.getUTCFullYear() * 12 + now.getUTCMonth();
      return past ? "This card has expired." : "";
    },
    cvc: function (value) {
      return new RegExp("^\\d{" + codeLength() + "}$").test(value) ? "" : "Enter the " + codeLength() + " digits of the security code.";
    },
    name: function (value) { return value ? "" : "Enter the name on the card."; },
    postal_code: function (value) {
      if (field("country").value === "US" && !/^\d{5}(-\d{4})?$/.test(value)) return "Enter a ZIP code of 5 digits.";
      return field("postal_code").dataset.needed && !value ? "Enter a postal code." : "";
    },
    line1: function (value) { return value ? "" : "Enter an address line."; },
    city: function (value) { return value ? "" : "Enter a city."; }
  };
  function say(input, problem) {
    var place = document.getElementById(input.name + "-error");
    if (place.textContent !== problem) place.textContent = problem;
    if (problem) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    return !problem;
  }
  function checkField(name) {
    var input = field(name);
    return !input || input.readOnly || say(input, CHECKS[name](input.value.trim()));
  }

  Object.keys(CHECKS).forEach(function (name) {
    var input = field(name);
    if (!input) return;
    input.addEventListener("blur", function () { if (input.value.trim()) checkField(name); });
    input.addEventListener("input", function () {
      if (input.getAttribute("aria-invalid")) checkField(name);
    });
  });
  field("number").addEventListener("input", function () {
    reformat(field("number"), function (number) { return group(number.slice(0, 19)); });
    showBrand();
  });
  field("expiry").addEventListener("input", function () { reformat(field("expiry"), formatExpiry); });
  field("cvc").addEventListener("input", function () {
    reformat(field("cvc"), function (number) { return number.slice(0, 4); });
  });
  field("country").addEventListener("change", function () {
    if (field("postal_code").getAttribute("aria-invalid")) checkField("postal_code");
  });

  document.querySelectorAll("button[data-number]").forEach(function (button) {
    button.addEventListener("click", function (event) {
      event.preventDefault();
      var example = JSON.parse(document.getElementById("example").textContent);
      Object.keys(example).forEach(function (name) {
        var input = field(name);
        if (input && !input.readOnly && !input.value.trim()) input.value = example[name];
      });
      field("number").value = group(button.dataset.number);
      field("cvc").value = codeLength() === 4 ? "1234" : "123";
      Object.keys(CHECKS).forEach(function (name) { if (field(name)) say(field(name), ""); });
      showBrand();
      form.querySelector("button[data-main]").focus();
    });
  });

  form.addEventListener("submit", function (event) {
    var wrong = Object.keys(CHECKS).filter(function (name) { return !checkField(name); });
    if (wrong.length) {
      event.preventDefault();
      field(wrong[0]).focus();
      return;
    }
    sendOnce(form, event);
  });
  showBrand();
})();
