"""c_text.py: C as text: its code without comments, its string literals, its functions, its includes. Layout is clang-format's."""
import re

TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
ONE_LINE = re.compile(r"^\w[^=;{}]*\)\s*\{.*\}$")
NAME = re.compile(r"(\w+)\s*\(")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code(text, strings=True):
    """The text with comments as blanks, and without `strings` what stands between quotes too. Lines and columns stay."""
    def keep(found):
        token = found[0]
        if token.startswith("/"):
            return blank(token)
        return token if strings else token[0] + blank(token[1:-1]) + token[-1]
    return TOKEN.sub(keep, text)


def line_counts(text):
    """(comment-only lines, lines that are not blank), as cloc counts them."""
    pairs = [(line.strip(), bare.strip()) for line, bare in zip(text.splitlines(), code(text).splitlines())]
    return sum(1 for line, bare in pairs if line and not bare), sum(1 for line, _ in pairs if line)


def literals(text):
    """(line, text) of each string literal, neighbours taken together as the compiler does."""
    at, value, end = 0, None, 0
    for found in TOKEN.finditer(text):
        if not found[0].startswith('"'):
            continue
        between = code(text[end:found.start()])
        if value is not None and between.strip():
            yield at, value
            value = None
        if value is None:
            at, value = text.count("\n", 0, found.start()) + 1, ""
        value += found[0][1:-1]
        end = found.end()
    if value is not None:
        yield at, value


def functions(text):
    """(name, first line, last line) of each function: from its declaration's first line to its closing brace."""
    lines = code(text, strings=False).splitlines()
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
            while start > 0 and lines[start - 1].strip() and not re.search(r"[;}]\s*$|^\s*#|\\$", lines[start - 1]):
                start -= 1
            head = " ".join(lines[start:i])
            name = NAME.search(re.sub(r"__attribute__\s*\(\(.*?\)\)|\b[A-Z_]+\([^)]*\)", "", head))
            name = name[1] if name else head
        elif line.rstrip() == "}" and start is not None:
            yield name, start + 1, i + 1
            start = None
        elif start is None and ONE_LINE.match(line) and NAME.search(line):
            yield NAME.search(line)[1], i + 1, i + 1


def defaults(text):
    """(line, what the switch is over, function) of each default label."""
    bare = code(text, strings=False)
    where = list(functions(text))
    for found in re.finditer(r"\bdefault\s*:", bare):
        line = bare.count("\n", 0, found.start()) + 1
        depth, at = 0, found.start()
        while at > 0:                                     # back to the brace that is open here
            at -= 1
            depth += (bare[at] == "}") - (bare[at] == "{")
            if depth < 0:
                break
        head = re.search(r"switch\s*\(([^{]*)\)\s*$", bare[max(0, at - 200):at])
        function = next((name for name, first, last in where if first <= line <= last), "")
        yield line, head[1] if head else "?", function


def includes(text):
    return INCLUDE.findall(code(text))


def circles(graph):
    """The strongly connected parts of more than one node (Tarjan's, without recursion), and nodes that lead to themselves."""
    index, low, on, stack, out, counter = {}, {}, set(), [], [], 0
    for root in sorted(graph):
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = counter
        counter += 1
        stack.append(root)
        on.add(root)
        while work:
            node, edges = work[-1]
            for to in edges:
                if to not in graph:
                    continue
                if to not in index:
                    index[to] = low[to] = counter
                    counter += 1
                    stack.append(to)
                    on.add(to)
                    work.append((to, iter(sorted(graph[to]))))
                    break
                if to in on:
                    low[node] = min(low[node], index[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on.discard(part[-1])
                    if len(part) > 1 or node in graph[node]:
                        out.append(sorted(part))
    return out
