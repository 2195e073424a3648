//! A page with the pictures and, for those who do not see them, the same as sentences. It needs no other files and no scripts.

use maud::{DOCTYPE, PreEscaped, html};

use crate::{Graph, svg};

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}\
.picture{overflow-x:auto}.picture svg{height:auto;max-width:100%;min-width:60rem}ul{columns:24rem}";

/// The page; `title` is its heading.
pub fn draw(title: &str, graphs: &[Graph]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                @for graph in graphs {
                    section {
                        h2 { (graph.stack) }
                        div.picture tabindex="0" role="group" aria-label={ "Picture of " (graph.stack) } {
                            (PreEscaped(svg::draw(std::slice::from_ref(graph))))
                        }
                        details {
                            summary { "In words" }
                            ul { @for sentence in graph.sentences() { li { (sentence) } } }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}
