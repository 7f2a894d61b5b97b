//! Errors as an operator reads them.

/// An error in one line, with what caused it: many say only "connection error" by themselves.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    let all = causes.fold(
        error.to_string(),
        |told, cause| {
            if told.contains(&cause) { told } else { format!("{told}: {cause}") }
        },
    );
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}
