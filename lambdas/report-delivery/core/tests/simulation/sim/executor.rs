//! Tasks, and the one heap of scheduled events.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use function::Clock;

type Task = Pin<Box<dyn Future<Output = ()>>>;

enum Event {
    Wake(usize),
    Kill(usize),
    Effect(Box<dyn FnOnce()>),
}

/// The timeline; clones share the same timeline.
#[derive(Clone)]
pub(crate) struct Timeline(Rc<RefCell<Inner>>);

struct Inner {
    now: u64,
    number: u64,
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    events: std::collections::BTreeMap<u64, Event>,
    spawned: Vec<(usize, Task)>,
    tasks: usize,
    current: usize,
    /// What the functions' clocks show: the time plus their error.
    shown: Arc<AtomicU64>,
    skew: i64,
}

/// 2025-12-09; whole minutes, so that the sweeps start at full minutes.
const BEGIN: u64 = 1_765_300_020_000;

impl Timeline {
    pub(crate) fn new() -> Timeline {
        Timeline(Rc::new(RefCell::new(Inner {
            now: BEGIN,
            number: 0,
            heap: BinaryHeap::new(),
            events: Default::default(),
            spawned: Vec::new(),
            tasks: 0,
            current: 0,
            shown: Arc::new(AtomicU64::new(BEGIN)),
            skew: 0,
        })))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.borrow().now
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> u64 {
        self.now() - BEGIN
    }

    /// The functions' clock.
    pub(crate) fn clock(&self) -> Clock {
        let shown = self.0.borrow().shown.clone();
        let now = move || SystemTime::UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::Relaxed));
        Clock::new(now, |_| Box::pin(std::future::ready(())))
    }

    /// What the functions' clock shows.
    pub(crate) fn shown(&self) -> u64 {
        self.0.borrow().shown.load(Ordering::Relaxed)
    }

    /// Shifts the functions' clocks by another `millis`.
    pub(crate) fn jump(&self, millis: i64) {
        let mut inner = self.0.borrow_mut();
        inner.skew += millis;
        inner.show();
    }

    /// Runs a task from now on, for as long as `life` exists.
    pub(crate) fn spawn(&self, life: u64, task: impl Future<Output = ()> + 'static) {
        let mut inner = self.0.borrow_mut();
        let id = inner.tasks;
        inner.tasks += 1;
        inner.spawned.push((id, Box::pin(task)));
        let now = inner.now;
        inner.push(now, Event::Wake(id));
        inner.push(now + life, Event::Kill(id));
    }

    /// Does something at a given time, whatever happens to the task that scheduled it.
    pub(crate) fn at(&self, time: u64, effect: impl FnOnce() + 'static) {
        self.0.borrow_mut().push(time, Event::Effect(Box::new(effect)));
    }

    /// Waits.
    pub(crate) async fn sleep(&self, millis: u64) {
        let mut waits = false;
        std::future::poll_fn(|_| {
            if waits {
                return Poll::Ready(());
            }
            waits = true;
            let mut inner = self.0.borrow_mut();
            let (time, task) = (inner.now + millis, inner.current);
            inner.push(time, Event::Wake(task));
            Poll::Pending
        })
        .await
    }

    /// Runs everything until `done` or `end`.
    pub(crate) fn run(&self, end: u64, mut done: impl FnMut() -> bool) {
        let mut tasks: Vec<Option<Task>> = Vec::new();
        loop {
            if done() {
                return;
            }
            let event = {
                let mut inner = self.0.borrow_mut();
                for (id, task) in std::mem::take(&mut inner.spawned) {
                    tasks.resize_with(tasks.len().max(id + 1), || None);
                    tasks[id] = Some(task);
                }
                let Some(Reverse((time, number))) = inner.heap.pop() else { return };
                if time > end {
                    return;
                }
                inner.now = time;
                inner.show();
                inner.events.remove(&number).unwrap()
            };
            match event {
                Event::Effect(effect) => effect(),
                Event::Kill(id) => tasks[id] = None,
                Event::Wake(id) => {
                    self.0.borrow_mut().current = id;
                    let mut context = Context::from_waker(Waker::noop());
                    if let Some(task) = &mut tasks[id]
                        && task.as_mut().poll(&mut context).is_ready()
                    {
                        tasks[id] = None;
                    }
                }
            }
        }
    }
}

impl Inner {
    fn push(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.heap.push(Reverse((time, self.number)));
        self.events.insert(self.number, event);
    }

    fn show(&self) {
        self.shown.store(self.now.saturating_add_signed(self.skew), Ordering::Relaxed);
    }
}
