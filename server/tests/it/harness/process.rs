//! A child process whose output is kept, shown when the test fails, and which never outlives the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wait::wait_for;

/// How a process is asked to end when the test is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At once, as a crash would.
    Kill,
    /// PostgreSQL's "immediate shutdown": its own children end too and its shared memory is given back.
    Quit,
}

/// One running child.
pub struct Process {
    name: String,
    child: Child,
    ending: Ending,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts `command`; `name` is what its output is shown under.
    pub fn start(name: &str, mut command: Command, ending: Ending) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let readers = vec![
            keep(child.stdout.take().expect("stdout is piped"), &lines),
            keep(child.stderr.take().expect("stderr is piped"), &lines),
        ];
        Self { name: name.to_owned(), child, ending, lines, readers }
    }

    /// Waits for a line that contains `words` and returns it whole.
    pub async fn line_with(&mut self, words: &str) -> String {
        self.line_or_end(words).await.unwrap_or_else(|status| {
            panic!("{} ended with {status} before it said {words:?}:\n{}", self.name, self.output())
        })
    }

    /// The same, or how it ended before it said so.
    pub async fn line_or_end(&mut self, words: &str) -> Result<String, ExitStatus> {
        let what = format!("{} to say {words:?}", self.name);
        wait_for(&what, async || {
            let ended = self.exited();
            if ended.is_some() {
                // What it wrote last may still be on its way through the pipe when its end is seen.
                self.readers.drain(..).for_each(|reader| reader.join().expect("a reader does not panic"));
            }
            self.find(words).map(Ok).or(ended.map(Err))
        })
        .await
    }

    /// The first line so far that contains `words`.
    pub fn find(&self, words: &str) -> Option<String> {
        self.lines.lock().unwrap().iter().find(|line| line.contains(words)).cloned()
    }

    /// Everything it wrote so far.
    pub fn output(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked for its status")
    }

    /// Its number; a command that replaced itself by another program keeps it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would: no signal handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends the polite signal that a service manager sends.
    pub fn terminate(&self) {
        signal("-TERM", self.child.id());
    }

    /// Sends what a person's Ctrl-C does.
    pub fn interrupt(&self) {
        signal("-INT", self.child.id());
    }
}

impl Process {
    /// Lets it stand still: it neither works nor lets go of what it holds.
    pub fn freeze(&self) {
        signal("-STOP", self.child.id());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("-CONT", self.child.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- output of {} ----\n{}\n----", self.name, self.output());
        }
        if self.ending == Ending::Quit && self.exited().is_none() {
            signal("-QUIT", self.child.id());
            let started = Instant::now();
            while self.exited().is_none() && started.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.kill();
    }
}

fn signal(name: &str, process: u32) {
    // `kill` fails only when the process is gone already.
    let _ = Command::new("kill").args([name, &process.to_string()]).status();
}

/// Reads to the end on a thread of its own: a full pipe would stop the child.
fn keep(pipe: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    })
}
