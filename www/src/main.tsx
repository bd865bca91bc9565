// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';

import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/shell.css';
import { App } from './app';
import { startSession } from './session';

const root = document.getElementById('app');
if (root)
    render(<App />, root);
void startSession();
