//! The web pages behind signed links: GET shows the form, POST writes the quote once.
