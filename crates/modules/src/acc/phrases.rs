//! The phrases that stand in records for replies made here, whatever reason they were sent with.

/// The phrase of a final status (RFC 3261 §21), of its class for one that has none.
pub(super) const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 | 606 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Bad Extension",
        421 => "Extension Required",
        423 => "Interval Too Brief",
        _ => rare_phrase(status),
    }
}

const fn rare_phrase(status: u16) -> &'static str {
    match status {
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-Out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        _ => class_phrase(status),
    }
}

const fn class_phrase(status: u16) -> &'static str {
    match status / 100 {
        ..=2 => "Successful",
        3 => "Redirection",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_a_phrase_has_that_of_its_class() {
        for (status, expected) in [
            (200, "OK"),
            (202, "Successful"),
            (307, "Redirection"),
            (404, "Not Found"),
            (409, "Request Failure"),
            (477, "Request Failure"),
            (514, "Server Failure"),
            (606, "Not Acceptable"),
            (687, "Global Failure"),
        ] {
            assert_eq!(phrase(status), expected, "{status}");
        }
    }
}
