"""A small source of each format, written from the format's documentation."""

from __future__ import annotations

Files = dict[str, bytes]

# beads: JSON Lines; links of several types, of which `blocks` alone says what waits for what.
BEADS: Files = {
    "issues.jsonl": (
        '{"id":"bd-1","title":"Schema","description":"Tables","status":"closed","priority":1,'
        '"issue_type":"task","created_at":"2025-11-01T09:00:00+01:00"}\n'
        '{"id":"bd-2","title":"Löschen","status":"open","priority":2,"dependencies":'
        '[{"issue_id":"bd-2","depends_on_id":"bd-9","type":"parent-child"},'
        '{"issue_id":"bd-2","depends_on_id":"bd-1","type":"blocks","created_by":"ann"}]}\n'
        '{"id":"bd-3", "title":"Ship", "status":"in_progress", "estimate":1.50}\n'
    ).encode()
}

# Task Master: tags, subtasks, numbers and texts as ids, priorities in words.
TASKMASTER: Files = {
    "tasks.json": b"""{
  "master": {
    "tasks": [
      {
        "id": 1,
        "title": "Set up",
        "status": "done",
        "dependencies": [],
        "priority": "high",
        "subtasks": [
          {"id": 1, "title": "Lint", "status": "pending", "dependencies": []},
          {"id": 2, "title": "Test", "status": "review", "dependencies": [1]}
        ]
      },
      {
        "id": 2,
        "title": "Build",
        "status": "pending",
        "dependencies": [
          1
        ],
        "testStrategy": "run it"
      }
    ],
    "metadata": {"created": "2025-01-27T20:16:58.061Z"}
  },
  "next": {"tasks": [{"id": 1, "title": "Later", "status": "deferred"}]}
}
"""
}

# Shrimp: uuids, dependencies as objects, related files; keys in the order that the program writes.
SHRIMP: Files = {
    "tasks.json": b"""{
  "tasks": [
    {
      "id": "6c1f1f5e-0000-4000-8000-000000000001",
      "name": "Parse the file",
      "description": "Read it line by line.",
      "notes": "Keep unknown fields.",
      "status": "completed",
      "dependencies": [],
      "createdAt": "2025-06-01T08:00:00.000Z",
      "updatedAt": "2025-06-02T08:00:00.000Z",
      "relatedFiles": [
        {
          "path": "src/parse.ts",
          "type": "CREATE"
        }
      ],
      "summary": "Done"
    },
    {
      "id": "6c1f1f5e-0000-4000-8000-000000000002",
      "name": "Write it",
      "description": "",
      "status": "in_progress",
      "dependencies": [
        {
          "taskId": "6c1f1f5e-0000-4000-8000-000000000001"
        }
      ],
      "createdAt": "2025-06-01T08:00:00.000Z",
      "updatedAt": "2025-06-01T08:00:00.000Z",
      "verificationCriteria": "round trip"
    }
  ]
}"""
}

# Taskwarrior 2.6 and later: an array, a task a line; basic ISO dates, tags, annotations, urgency.
TASKWARRIOR: Files = {
    "export.json": b"""[
{"id":1,"description":"Fix the roof","entry":"20250101T100000Z","modified":"20250102T100000Z",\
"priority":"H","project":"house","start":"20250102T090000Z","status":"pending","tags":["out"],\
"uuid":"11111111-1111-4111-8111-111111111111","urgency":8.2},
{"id":2,"depends":["11111111-1111-4111-8111-111111111111"],"description":"Paint","entry":"20250101T100000Z",\
"status":"waiting","wait":"20250601T000000Z","uuid":"22222222-2222-4222-8222-222222222222",\
"annotations":[{"entry":"20250103T100000Z","description":"white"}]},
{"id":0,"description":"Old","end":"20250101T110000Z","entry":"20250101T100000Z","status":"deleted",\
"uuid":"33333333-3333-4333-8333-333333333333"}
]
"""
}

# Taskwarrior up to 2.5, or with rc.json.array=off: an object a line, depends as a text.
TASKWARRIOR_LINES: Files = {
    "export.json": (
        b'{"uuid":"a","description":"One","status":"completed","end":"20200101T000000Z"}\n'
        b'{"uuid":"b","description":"Two","status":"pending","depends":"a"}\n'
        b'{"uuid":"c","description":"Three","status":"recurring","depends":"a,b","priority":"L"}\n'
    )
}

# todo.txt: priority, days of creation and completion, projects, contexts and pairs, anywhere in the text.
TODOTXT: Files = {
    "todo.txt": (
        "(A) 2025-03-01 Call Mom about +Family dinner @phone due:2025-03-09 id:call\n"
        "\n"
        "x 2025-03-02 2025-03-01 Review pull request +Work pri:B\n"
        "Buy milk, at http://shop.example:80/ @store after:call id:milk\n"
        "x Ask Zoë\n"
        "(D) 10:30 walk\n"
    ).encode()
}

# Markdown: headings of sessions, sections, nested and ordered lists, code that only looks like a task.
MARKDOWN: Files = {
    "PLAN.md": """# Plans

Progress: 12,5 % in all.

## Session `alpha` (primary)

It is 83 % complete.

1. [x] Pool manager (~550 lines)
2. [ ] Tiers (active)
   - [ ] Hot — 1 of 3 done
   - [x] Cold
3. [ ] Coordinator (blocked, weight 2.5, needs 2)
   with a second line
4. Integration tests (queued, weight 6, needs 2 and 3)

```md
- [ ] not a task
```

### Later

* [ ] Docs   (needs 4)
* [-] Flags
* [/] Half
* plain text

## SECOND-LONG-NAME_1

+ [X] Ünïcode `code` (done)
+ [ ] Last
""".encode()
}

# Claude Code, newer form: no ids, activeForm.
CLAUDE: Files = {
    "0f-agent-0f.json": b"""[
  {
    "content": "Read the brief",
    "status": "completed",
    "activeForm": "Reading the brief"
  },
  {
    "content": "Write \\u00fc",
    "status": "in_progress",
    "activeForm": "Writing",
    "priority": "high"
  }
]"""
}

# Claude Code, older form, in one line with ids; a folder with an empty list beside it.
CLAUDE_FOLDER: Files = {
    "a-agent-a.json": b'[{"content":"One","status":"pending","priority":"medium","id":"1"},'
    b'{"content":"Two","status":"completed","priority":"low","id":"2"}]',
    "b-agent-b.json": b"[]",
}

# GitHub, REST: reasons of the state, labels as objects, a milestone, task lists, a pull request.
GITHUB: Files = {
    "issues.json": b"""[
  {"url": "https://api.github.com/repos/o/r/issues/3", "id": 30, "node_id": "N3", "number": 3,
   "title": "Umbrella", "state": "open", "state_reason": "reopened", "labels": [{"name": "P1"}],
   "milestone": {"title": "v1"}, "body": "- [ ] #1\\r\\n- [x] #2\\r\\n\\r\\nDepends on #1 and #7",
   "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-02T00:00:00Z"},
  {"url": "https://api.github.com/repos/o/r/issues/2", "id": 20, "number": 2, "title": "Part",
   "state": "closed", "state_reason": "completed", "labels": [], "body": null},
  {"url": "https://api.github.com/repos/o/r/issues/1", "id": 10, "number": 1, "title": "Won't",
   "state": "closed", "state_reason": "not_planned", "labels": ["priority: high"]},
  {"url": "https://api.github.com/repos/o/r/issues/4", "id": 40, "number": 4, "title": "A change",
   "state": "open", "labels": [], "pull_request": {"url": "https://api.github.com/repos/o/r/pulls/4"}}
]
"""
}

# GitHub, `gh issue list --json number,title,state,stateReason,labels,body,blockedBy,url`.
GH: Files = {
    "gh.json": (
        b'[{"body":"","labels":[{"id":"L","name":"bug"}],"number":8,"state":"CLOSED",'
        b'"stateReason":"NOT_PLANNED","title":"Crash","url":"https://github.com/o/r/issues/8"},'
        b'{"blockedBy":[{"number":8}],"number":9,"state":"OPEN","stateReason":"","title":"Slow",'
        b'"url":"https://github.com/o/r/issues/9"}]\n'
    )
}

# tiergate: canonical JSON Lines.
TIERGATE: Files = {
    "export.jsonl": (
        b'{"id":"a","tasks":[{"id":"1","status":"completed","title":"One"},{"id":"2","title":"Two"}]}\n'
        b'{"extra":{"k":1},"id":"b","tasks":[{"id":"1","source_status":"x","title":"One"}],"title":"B"}\n'
    )
}

# Backlog.md: front matter in both styles of lists, and words of the project's own.
BACKLOG: Files = {
    "backlog/config.yml": b'project_name: "P"\nstatuses: ["To Do", "In Progress", "Done"]\n',
    "backlog/tasks/task-1 - One.md": (
        b"---\nid: task-1\ntitle: One\nstatus: To Do  # soon\nassignee: ['@ann']\n"
        b"dependencies: []\npriority: high\n---\n\n## Description\n\nText\n"
    ),
    "backlog/tasks/task-2 - Two.md": (
        b"---\r\nid: task-2\r\ntitle: 'Two: again'\r\nstatus: In Progress\r\ndependencies:\r\n"
        b"  - task-1\r\nlabels: []\r\n---\r\nBody\r\n"
    ),
    "backlog/completed/task-3.md": b"---\nid: task-3\ntitle: >-\n  Long\n  title\nstatus: Done\n---\n",
}

SAMPLES: dict[str, list[Files]] = {
    "beads": [BEADS],
    "taskmaster": [TASKMASTER],
    "backlog": [BACKLOG],
    "shrimp": [SHRIMP],
    "taskwarrior": [TASKWARRIOR, TASKWARRIOR_LINES],
    "todotxt": [TODOTXT],
    "markdown": [MARKDOWN],
    "claude-todos": [CLAUDE, CLAUDE_FOLDER],
    "github": [GITHUB, GH],
    "tiergate": [TIERGATE],
}

DAMAGED: dict[str, Files] = {
    "beads": {"i.jsonl": BEADS["issues.jsonl"] + b'{"id": "bd-4", "title"\n'},
    "taskmaster": {"t.json": b'{"m": {"tasks": [\n{"id": 1, "title": "One"},\n {"id": 2}]}}'},
    "shrimp": {"t.json": b'{"tasks": [\n{"id": "a", "name": "One"},\n {"id": "a", "name": "Two"}]}'},
    "taskwarrior": {"t.json": TASKWARRIOR_LINES["export.json"] + b'{"uuid": "d"}\n'},
    "todotxt": {"todo.txt": b"one id:a\ntwo id:a\n"},
    "claude-todos": {"t.json": b'[{"content": "One", "status": "pending"},\n 3]'},
    "github": {"t.json": b'[{"number": 1, "title": "One", "state": "open"},\n{"number": 2}]'},
    "tiergate": {"t.jsonl": TIERGATE["export.jsonl"] + b'{"id": "c", "tasks": 3}\n'},
}
"""Of the formats in which a record can be damaged; Backlog.md's files and Markdown's lines cannot be."""
