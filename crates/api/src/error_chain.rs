//! Errors as an operator reads them.

/// An error and its causes in one line. Many errors say only "connection error" without their causes.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    let chain =
        causes.fold(
            error.to_string(),
            |chain, cause| {
                if chain.contains(&cause) { chain } else { format!("{chain}: {cause}") }
            },
        );
    chain.split_whitespace().collect::<Vec<_>>().join(" ")
}
