//! What a design tells: text of `$display`, `$finish`, failed assertions, as Python objects.

use pyo3::prelude::*;
use rtlwasm_host::Value;
use rtlwasm_host::manifest::EventSite;

use crate::number::to_python;

/// Something that the design told: the text of a `$display`, a `$finish`, a failed assertion. `str()` is the text.
#[pyclass(frozen, module = "rtlwasm")]
pub struct Event {
    /// "display", "info", "warning", "error", "fatal", "finish", "stop", "assert" or "assume".
    #[pyo3(get)]
    kind: String,
    /// The formatted message; that of a `$display` ends with its line feed.
    #[pyo3(get)]
    text: String,
    /// When, in time units of the model.
    #[pyo3(get)]
    time: u64,
    /// Name of the statement or its block; may be empty.
    #[pyo3(get)]
    name: String,
    /// Where it stands in the source, as "file:line.column"; None when that was left out.
    #[pyo3(get)]
    source: Option<String>,
    args: Vec<Value>,
}

#[pymethods]
impl Event {
    /// Values of the message's arguments as unsigned numbers: for clocked events those from before the clock edge.
    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.args.iter().map(|value| to_python(py, value)).collect()
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!(
            "Event({:?}, {:?}, time={})",
            self.kind, self.text, self.time
        )
    }
}

impl Event {
    pub fn new(event: rtlwasm_host::Event, site: &EventSite) -> Event {
        Event {
            kind: site.kind.clone(),
            text: event.text,
            time: event.time,
            name: site.name.clone(),
            source: site.source.clone(),
            args: event.args,
        }
    }

    /// One line for an exception: what failed, where, when.
    pub fn summary(&self) -> String {
        let what = match self.text.trim_end() {
            "" if self.name.is_empty() => format!("{} failed", self.kind),
            "" => format!("{} `{}` failed", self.kind, self.name),
            text => format!("{}: {text}", self.kind),
        };
        let place = self.source.as_ref().map(|source| format!(" ({source})"));
        format!("{what} at time {}{}", self.time, place.unwrap_or_default())
    }
}
