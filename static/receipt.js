// The report has arrived, so what was kept in case of a lost line is thrown away.
"use strict";

try {
  sessionStorage.removeItem("gatami:report");
} catch {
  // A browser that keeps nothing has nothing to forget.
}
